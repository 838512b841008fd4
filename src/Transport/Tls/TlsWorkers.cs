using System.Collections.Concurrent;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// Threads for the arithmetic of handshakes, so that a flood of them slows no established client down. They start with the first handshake.
/// </summary>
internal sealed class TlsWorkers : IDisposable
{
    /// <summary>Steps that wait: one more waits at its connection, and comes again.</summary>
    private const int MaxWaiting = 256;

    private readonly BlockingCollection<ITlsStep> _waiting = new(MaxWaiting);
    private int _started; // 1 once the threads were asked for

    /// <summary>A quarter of the cores: the others are for requests.</summary>
    public static int Threads => Math.Max(1, Environment.ProcessorCount / 4);

    /// <summary>Asks for a step; false when too many wait, or when the node ends.</summary>
    public bool TryRun(ITlsStep step)
    {
        if (Interlocked.Exchange(ref _started, 1) == 0)
        {
            for (int i = 0; i < Threads; i++)
            {
                new Thread(Run) { Name = $"tls-{i}", IsBackground = true }.Start();
            }
        }

        return !_waiting.IsAddingCompleted && _waiting.TryAdd(step);
    }

    /// <summary>Ends the threads after the steps that wait.</summary>
    public void Dispose() => _waiting.CompleteAdding();

    private void Run()
    {
        foreach (ITlsStep step in _waiting.GetConsumingEnumerable())
        {
            step.Run();
        }
    }
}

/// <summary>A step of a handshake.</summary>
internal interface ITlsStep
{
    /// <summary>Makes the step, on a worker's thread. Throws nothing.</summary>
    void Run();
}
