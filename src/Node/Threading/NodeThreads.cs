namespace Cocaine.Fast.Node.Threading;

/// <summary>
/// The threads on which a node controls itself: calls of the control socket, starts, replacements, stops, and their timeouts. The node has
/// threads of its own because apps use the shared thread pool too: an app that fills the pool with waiting work must not make the node
/// deaf.
/// </summary>
/// <remarks>
/// The threads' synchronization context brings continuations back here: so awaits in this assembly have no ConfigureAwait(false), which
/// would let them go to the pool. An event loop completes the task of a waiting method here (<see cref="Complete{T}"/>), where the method
/// continues at once, and <see cref="NodeClock"/> has the timeouts.
/// </remarks>
internal static class NodeThreads
{
    /// <summary>
    /// The most threads. Methods wait without a thread, so two would be enough. The others are for methods that a slow disk holds up, or
    /// the code of an embedding program that continues here.
    /// </summary>
    private const int Most = 16;

    /// <summary>Threads that exist from the start, so that a node that must end needs no new one.</summary>
    private const int Least = 2;

    private static readonly Lock Lock = new(); // guards the fields below
    private static readonly Queue<Action> Waiting = new();
    private static readonly SemaphoreSlim Wanted = new(0);
    private static int _threads;
    private static int _idle;

    /// <summary>Makes the threads that exist from the start.</summary>
    public static void Warm()
    {
        for (int i = 0; i < Least; i++)
        {
            Post(static () => { });
        }
    }

    /// <summary>Runs work here; from any thread.</summary>
    public static void Post(Action work)
    {
        bool grows;
        lock (Lock)
        {
            Waiting.Enqueue(work);
            grows = _threads < Least || (_idle < Waiting.Count && _threads < Most);
            _threads += grows ? 1 : 0;
        }

        if (grows)
        {
            Start();
        }

        Wanted.Release();
    }

    /// <summary>Runs a method here; after each await the method continues here.</summary>
    public static Task<T> Run<T>(Func<Task<T>> method)
    {
        TaskCompletionSource<Task<T>> started = new();
        Post(() =>
        {
            try
            {
                started.SetResult(method());
            }
            catch (Exception failure)
            {
                started.SetException(failure);
            }
        });
        return started.Task.Unwrap();
    }

    /// <inheritdoc cref="Run{T}"/>
    public static Task Run(Func<Task> method) => Run(async () =>
    {
        await method();
        return true;
    });

    /// <summary>Runs a method here to its end; the calling thread waits for it, for example a program's main thread.</summary>
    public static T RunToEnd<T>(Func<Task<T>> method) => Run(method).GetAwaiter().GetResult();

    /// <summary>Completes a source here, so that methods that wait for it continue here.</summary>
    public static void Complete<T>(TaskCompletionSource<T> source, T result) => Post(() => source.TrySetResult(result));

    /// <inheritdoc cref="Complete{T}"/>
    public static void Complete(TaskCompletionSource source) => Post(() => source.TrySetResult());

    /// <summary>Fails a source, in the same way as <see cref="Complete{T}"/>.</summary>
    public static void Fail(TaskCompletionSource source, Exception failure) => Post(() => source.TrySetException(failure));

    private static void Start()
    {
        try
        {
            new Thread(Serve) { Name = "control", IsBackground = true }.Start();
        }
        catch (Exception failure) when (failure is OutOfMemoryException or ThreadStartException)
        {
            lock (Lock)
            {
                _threads--;
                if (_threads == 0)
                {
                    throw; // no thread runs: the caller must know
                }
            }
        }
    }

    private static void Serve()
    {
        SynchronizationContext.SetSynchronizationContext(Context.Instance);
        while (true)
        {
            Action? work;
            lock (Lock)
            {
                _idle++;
            }

            Wanted.Wait();
            lock (Lock)
            {
                _idle--;
                Waiting.TryDequeue(out work);
            }

            work?.Invoke();
        }
    }

    /// <summary>A single object for all threads: it does not matter which of them continues a method.</summary>
    private sealed class Context : SynchronizationContext
    {
        public static Context Instance { get; } = new();

        public override void Post(SendOrPostCallback d, object? state) => NodeThreads.Post(() => d(state));

        public override void Send(SendOrPostCallback d, object? state) => d(state);

        public override SynchronizationContext CreateCopy() => this;
    }
}
