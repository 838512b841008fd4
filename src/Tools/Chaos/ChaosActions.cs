using System.Net.Sockets;
using Cocaine.Fast.Client;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>One action that breaks a part.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Weight">How often the action is done, relative to the others.</param>
/// <param name="DoAsync">Does the action; returns why it was not done, or null when it was.</param>
internal sealed record ChaosAction(string Name, int Weight, Func<Task<string?>> DoAsync);

/// <summary>The actions against workers and clients. <see cref="NodeActions"/> has those against the node itself.</summary>
internal sealed class ChaosActions(
    ChaosOptions options, ChaosManifest manifest, ChaosLoad load, ChaosLedger ledger, Random random, ChaosTls? tls)
{
    /// <summary>The most requests of one burst: over the queue's limit of most apps, and no more memory than a test may take.</summary>
    private const int MaxBurst = 20_000;

    /// <summary>A pause from which a worker comes back before the node counts it as silent.</summary>
    private const int MaxPauseMs = 2000;

    /// <summary>After a scribble the worker may have lost jobs, so it must not live on.</summary>
    private const int ScribbledLifeMs = 1000;

    private readonly List<Task> _followUps = [];
    private readonly HashSet<ProcessIdentity> _silent = [];

    /// <summary>The present node.</summary>
    public NodeProcess Node { get; set; } = null!;

    public IEnumerable<ChaosAction> All()
    {
        yield return new("kill a worker", 4, () => OnWorker(worker => Signal(worker, NodeProcess.Kill)));
        yield return new("pause a worker", 3, () => OnWorker(Pause));
        yield return new("silence a worker", 1, SilenceAsync);
        if (options.Scribbles)
        {
            yield return new("scribble on a segment", 2, () => OnWorker(Scribble));
        }

        yield return new("drop a connection", 4, () => OnConnection(one => one.Drop()));
        yield return new("half-close a connection", 3, () => OnConnection(one => one.HalfClose()));
        yield return new("send hostile bytes", 3, HostileAsync);
        yield return new("fill the queue", 2, FillAsync);
        if (options.ExitEvent is not null)
        {
            yield return new("exit in an answer", 2, ExitAsync);
        }
    }

    /// <summary>Wakes every stopped worker, and waits for requests under way.</summary>
    public async Task SettleAsync()
    {
        await Task.WhenAll(_followUps).ConfigureAwait(false);
        foreach (ProcessIdentity worker in _silent)
        {
            Signal(worker, NodeProcess.Continue);
        }
    }

    /// <summary>Waits for requests under way, and ends the silent worker: the next actions are about others.</summary>
    public async Task CalmAsync()
    {
        await Task.WhenAll(_followUps).ConfigureAwait(false);
        foreach (ProcessIdentity worker in _silent)
        {
            Signal(worker, NodeProcess.Kill);
        }

        _silent.Clear();
    }

    private static string? Signal(ProcessIdentity worker, int signal)
    {
        if (!ProcessTable.IsAlive(worker))
        {
            return "it had ended";
        }

        _ = LibC.kill(worker.Id, signal);
        return null;
    }

    private Task<string?> OnWorker(Func<ProcessIdentity, string?> action)
    {
        List<ProcessIdentity> workers = Node.Workers;
        return Task.FromResult(workers.Count == 0 ? "no worker runs" : action(workers[random.Next(workers.Count)]));
    }

    private async Task<string?> OnConnection(Action<ChaosConnection> action) =>
        await load.WithConnectionAsync(random.Next(1000), action).ConfigureAwait(false) ? null : "no connection is open";

    private string? Pause(ProcessIdentity worker)
    {
        string? why = Signal(worker, NodeProcess.Stop);
        Later(random.Next(20, MaxPauseMs), () => Signal(worker, NodeProcess.Continue));
        return why;
    }

    /// <summary>
    /// A worker that falls silent for ever: the node must notice it. Only one at a time, because otherwise no worker works.
    /// </summary>
    private Task<string?> SilenceAsync()
    {
        _silent.RemoveWhere(worker => !ProcessTable.IsAlive(worker));
        return _silent.Count > 0 ? Task.FromResult<string?>("one is silent already") : OnWorker(worker =>
        {
            _silent.Add(worker);
            return Signal(worker, NodeProcess.Stop);
        });
    }

    /// <summary>Writes over a part of the shared memory, or all of it, while node and worker use it.</summary>
    private string? Scribble(ProcessIdentity worker)
    {
        if (ProcessTable.Mapping(worker.Id, "memfd:cocaine-pipe") is not { } range)
        {
            return "the worker has no shared memory";
        }

        long length = range.End - range.Start;
        long start = random.Next(4) switch
        {
            0 => 0,                                      // the whole memory, counters first
            1 => random.Next(16) * 256,                  // within the header and the control blocks
            _ => random.NextInt64(0, length - 4096),     // records
        };
        byte[] bytes = new byte[start == 0 ? length : random.Next(64, 4096)];
        Array.Fill(bytes, Flight.ScribbleByte);
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle memory =
                File.OpenHandle($"/proc/{worker.Id}/mem", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            ledger.ScribbledMs = Environment.TickCount64;
            RandomAccess.Write(memory, bytes, range.Start + start);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return $"the kernel does not let us write to the worker's memory: {refused.Message}";
        }

        Later(ScribbledLifeMs, () => Signal(worker, NodeProcess.Kill));
        return null;
    }

    /// <summary>A client that does not speak the protocol, or breaks it half-way.</summary>
    private async Task<string?> HostileAsync()
    {
        byte[] bytes = random.Next(4) switch
        {
            0 => [0x93, 0x01, 0x00, 0x91, 0xc6, 0xff, 0xff, 0xff, 0xff],               // says that four gigabytes follow
            1 => [.. Enumerable.Repeat((byte)0x91, 100_000)],                          // nested without end
            2 => [0x93, 0x01, 0x00, 0x91, 0xa4, (byte)'e', (byte)'c'],                 // breaks off in a name
            _ => new byte[random.Next(1, 100_000)],
        };
        if (bytes[0] == 0)
        {
            random.NextBytes(bytes);
        }

        int waitMs = random.Next(10, 1000);
        if (tls is not null && random.Next(2) == 0) // else the door of TLS gets the bytes as they are
        {
            return await load.StrangerAsync(bytes, waitMs).ConfigureAwait(false) ? null : "the node cannot be reached";
        }

        try
        {
            Socket socket = await Connector.ConnectAsync(ChaosTls.Bare(Node.Endpoint), TimeSpan.FromSeconds(5), CancellationToken.None)
                .ConfigureAwait(false);
            _ = socket.Send(bytes, SocketFlags.None, out _);
            Later(waitMs, () =>
            {
                socket.Dispose(); // with the node's answer unread, so the node sees a reset
                return null;
            });
            return null;
        }
        catch (ConnectionLostException refused)
        {
            return refused.Message;
        }
    }

    private async Task<string?> FillAsync()
    {
        long room = manifest.App.Engine.QueueLimit + ((long)manifest.App.Engine.PoolLimit * manifest.App.Engine.Concurrency);
        await load.BurstAsync((int)Math.Min(MaxBurst, room + 200)).ConfigureAwait(false);
        return null;
    }

    /// <summary>The app ends its own worker: the call must have exactly one outcome, whichever it is.</summary>
    private Task<string?> ExitAsync()
    {
        string endpoint = Node.Endpoint, name = options.ExitEvent!;
        CallOptions call = new() { RetryLimit = 0, Deadline = TimeSpan.FromSeconds(30) };
        _followUps.Add(Task.Run(async () =>
        {
            try
            {
                await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, tls?.Client).ConfigureAwait(false);
                await client.CallAsync(name, Array.Empty<byte>(), call).ConfigureAwait(false);
                ledger.Outcome("exit: done");
            }
            catch (CocaineException failure)
            {
                ledger.Outcome($"exit: error {failure.Code}");
            }
            catch (ConnectionLostException)
            {
                ledger.Outcome("exit: lost with its connection");
            }
        }));
        return Task.FromResult<string?>(null);
    }

    private void Later(int ms, Func<string?> action)
    {
        _followUps.RemoveAll(task => task.IsCompleted);
        _followUps.Add(Task.Delay(ms).ContinueWith(_ => action(), TaskScheduler.Default));
    }
}
