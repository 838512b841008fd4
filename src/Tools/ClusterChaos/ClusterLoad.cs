using System.Buffers.Binary;
using Cocaine.Fast.Client;
using Cocaine.Fast.Client.Clusters;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Tools.Chaos;

namespace Cocaine.Fast.Tools.ClusterChaos;

/// <summary>
/// Callers of one client of the cluster, each with one call at a time. Half of the calls may run twice: of these every one is answered. The
/// others may be lost with a node that is killed, and late on one that stands still.
/// </summary>
/// <param name="client">The client.</param>
/// <param name="name">The event, which gives its request back.</param>
/// <param name="options">The settings of the run.</param>
/// <param name="ledger">Gets the outcomes.</param>
internal sealed class ClusterLoad(ClusterClient client, string name, ChaosOptions options, ChaosLedger ledger)
{
    /// <summary>Longer than any fault of a run: a node that stands still goes on within seconds.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly int _callers = 2 * options.Connections;
    private volatile bool _isOver;
    private long _begun;
    private long _ended;

    /// <summary>A node was killed: calls that may not run twice may be lost.</summary>
    public bool HasKilled { get; set; }

    /// <summary>Calls that have begun, and those of them that have ended.</summary>
    public (long Begun, long Ended) Counts => (Interlocked.Read(ref _begun), Interlocked.Read(ref _ended));

    /// <summary>Calls until <see cref="Finish"/>.</summary>
    public Task RunAsync() => Task.WhenAll(Enumerable.Range(0, _callers).Select(caller => Task.Run(() => CallAsync(caller))));

    /// <summary>No more calls begin.</summary>
    public void Finish() => _isOver = true;

    private async Task CallAsync(int caller)
    {
        Random random = new((options.Seed * 1000) + caller);
        double pauseMs = options.RequestsPerSecond == 0 ? 0 : 1000.0 * _callers / options.RequestsPerSecond;
        for (long number = 0; !_isOver; number++)
        {
            byte[] request = new byte[16 + random.Next(4096)];
            random.NextBytes(request);
            BinaryPrimitives.WriteInt32LittleEndian(request, caller);
            BinaryPrimitives.WriteInt64LittleEndian(request.AsSpan(4), number);
            CallOptions wishes = new() { Idempotent = caller % 2 == 0, Deadline = Deadline, Urgent = random.Next(10) == 0 };
            Interlocked.Increment(ref _begun);
            long beganNs = Clock.NowNs;
            try
            {
                byte[] answer = await client.CallAsync(name, request, wishes).ConfigureAwait(false);
                OnAnswered(answer.AsSpan().SequenceEqual(request), caller, number, Clock.NowNs - beganNs);
            }
            catch (Exception failure) when (failure is IOException or CocaineException)
            {
                OnFailed(failure, wishes.Idempotent, caller, number);
            }

            Interlocked.Increment(ref _ended);
            await Task.Delay(TimeSpan.FromMilliseconds(pauseMs * 2 * random.NextDouble())).ConfigureAwait(false);
        }
    }

    private void OnAnswered(bool isRight, int caller, long number, long tookNs)
    {
        if (!isRight && options.Echoes)
        {
            ledger.Fault($"call {number} of caller {caller} got the answer of another one");
        }

        ledger.Done(tookNs);
    }

    private void OnFailed(Exception failure, bool mayRunTwice, int caller, long number)
    {
        bool mayBeLost = failure is ConnectionLostException
            or CocaineException { Category: ErrorCodes.Category, Code: ErrorCodes.AppError };
        ledger.Outcome(mayBeLost ? "lost with a node" : failure.Message);
        if (mayRunTwice || !mayBeLost || !HasKilled)
        {
            ledger.Fault($"call {number} of caller {caller}, which may {(mayRunTwice ? "" : "not ")}run twice: {failure.Message}");
        }
    }
}
