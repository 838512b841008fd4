using System.Collections.Concurrent;
using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Harness;

/// <summary>
/// Clients that call without a pause, over connections of their own, and look at every answer: exactly one, and that of the request. Whatever
/// is wrong is kept as a text.
/// </summary>
internal sealed class CheckedLoad
{
    private readonly List<Task> _clients = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _wrong = new();
    private long _answers;

    public CheckedLoad(string endpoint, int connections, int callsAtOnce, bool reconnects = false)
    {
        for (int i = 0; i < connections; i++)
        {
            int number = i;
            _clients.Add(Task.Run(() => RunAsync(endpoint, number, callsAtOnce, reconnects)));
        }
    }

    public long Answers => Volatile.Read(ref _answers);

    /// <summary>Waits until so many more calls were answered, so that a test knows that the load goes on.</summary>
    public async Task ForAsync(long more)
    {
        long until = Answers + more;
        using CancellationTokenSource limit = new(Versions.Long);
        while (Answers < until && _wrong.IsEmpty)
        {
            await Task.Delay(5, limit.Token);
        }
    }

    /// <summary>Ends the load; gives what was wrong.</summary>
    public async Task<string[]> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients).WaitAsync(Versions.Long);
        return [.. _wrong];
    }

    private async Task RunAsync(string endpoint, int number, int callsAtOnce, bool reconnects)
    {
        try
        {
            do
            {
                await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
                await Task.WhenAll(Enumerable.Range(0, callsAtOnce).Select(lane => CallAsync(client, number, lane, reconnects ? 3 : long.MaxValue)));
            }
            while (reconnects && !_stop.IsCancellationRequested && _wrong.IsEmpty);
        }
        catch (Exception failure)
        {
            _wrong.Enqueue($"client {number}: {failure.GetType().Name} {failure.Message}");
        }
    }

    private async Task CallAsync(CocaineClient client, int number, int lane, long calls)
    {
        for (long i = 0; i < calls && !_stop.IsCancellationRequested && _wrong.Count < 10; i++)
        {
            string request = $"{number}/{lane}/{i}";
            try
            {
                string answer = Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of(request)).WaitAsync(Versions.Long));
                if (answer != request)
                {
                    _wrong.Enqueue($"{request} was answered with {answer}");
                }
            }
            catch (Exception failure) when (failure is CocaineException or ConnectionLostException or TimeoutException)
            {
                _wrong.Enqueue($"{request}: {failure.GetType().Name} {failure.Message}");
                return;
            }

            Interlocked.Increment(ref _answers);
        }
    }
}
