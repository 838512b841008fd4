using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// Says which handlers may begin: as many at a time as the app's concurrency, and none that the node has taken back. See "What is begun" in
/// docs/worker-protocol.md. For the loop's thread.
/// </summary>
/// <param name="words">The words that the node and this worker share.</param>
internal sealed class BeginGate(BeginWords words)
{
    private readonly int _most = words.MostBegun > 0 ? words.MostBegun : int.MaxValue; // a node that gives nothing ahead says 0
    private int _recallsRead;
    private int _begun; // handlers that have begun and not ended

    /// <summary>The node takes jobs back, and its message has not been read: nothing may begin.</summary>
    public bool AwaitsRecall { get; private set; }

    /// <summary>Another handler may begin, as far as the number of them tells.</summary>
    public bool HasRoom => _begun < _most;

    /// <summary>Tells the node that the worker keeps the words. Comes before the first message.</summary>
    public void Open() => words.Keep();

    /// <summary>Begins the job of a channel; false when the job has to wait.</summary>
    public bool TryBegin(ulong channel)
    {
        if (AwaitsRecall || !HasRoom)
        {
            return false;
        }

        if (!words.TryBegin(channel, _recallsRead))
        {
            AwaitsRecall = true;
            return false;
        }

        _begun++;
        return true;
    }

    /// <summary>A job that has begun has its terminal message.</summary>
    public void OnEnd() => _begun--;

    /// <summary>A recall was read. A later one is found with the next begin.</summary>
    public void OnRecall(int count)
    {
        _recallsRead = count;
        AwaitsRecall = false;
    }
}
