namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// Threads for the arithmetic of handshakes, so that a flood of them slows no established client down. They start with the first handshake.
/// </summary>
internal sealed class TlsWorkers : IDisposable
{
    /// <summary>Steps that wait: one more waits at its connection, and comes again.</summary>
    private const int MaxWaiting = 256;

    // A monitor, because a thread that waits for it sleeps at once: collections that block spin first, for as long as a handshake takes.
    private readonly object _monitor = new();          // guards the other fields
    private readonly Queue<ITlsStep> _waiting = new();
    private bool _hasStarted;
    private bool _isEnding;

    /// <summary>A quarter of the cores: the others are for requests.</summary>
    public static int Threads => Math.Max(1, Environment.ProcessorCount / 4);

    /// <summary>Asks for a step; false when too many wait, or when the node ends.</summary>
    public bool TryRun(ITlsStep step)
    {
        lock (_monitor)
        {
            if (_isEnding || _waiting.Count >= MaxWaiting)
            {
                return false;
            }

            _waiting.Enqueue(step);
            Monitor.Pulse(_monitor);
            if (_hasStarted)
            {
                return true;
            }

            _hasStarted = true;
        }

        for (int i = 0; i < Threads; i++)
        {
            new Thread(Run) { Name = $"tls-{i}", IsBackground = true }.Start();
        }

        return true;
    }

    /// <summary>Ends the threads after the steps that wait.</summary>
    public void Dispose()
    {
        lock (_monitor)
        {
            _isEnding = true;
            Monitor.PulseAll(_monitor);
        }
    }

    private void Run()
    {
        while (Next() is { } step)
        {
            step.Run();
        }
    }

    /// <summary>The next step; null when the thread shall end.</summary>
    private ITlsStep? Next()
    {
        lock (_monitor)
        {
            ITlsStep? step;
            while (!_waiting.TryDequeue(out step) && !_isEnding)
            {
                Monitor.Wait(_monitor);
            }

            return step;
        }
    }
}

/// <summary>A step of a handshake.</summary>
internal interface ITlsStep
{
    /// <summary>Makes the step, on a worker's thread. Throws nothing.</summary>
    void Run();
}
