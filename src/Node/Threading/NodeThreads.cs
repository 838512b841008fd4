namespace Cocaine.Fast.Node.Threading;

/// <summary>
/// The threads on which a node controls itself: calls of the control socket, starts, replacements, stops, and their timeouts. They are its
/// own, because the shared thread pool belongs to the apps as much: one that fills it with work that waits must not make the node deaf.
/// </summary>
/// <remarks>
/// Continuations come back here by the threads' synchronization context: so awaits in this assembly have no ConfigureAwait(false), which
/// would let them go to the pool. An event loop completes the task of a waiting method here (<see cref="Complete{T}"/>), where
/// the method goes on at once, and timeouts are those of <see cref="NodeClock"/>.
/// </remarks>
internal static class NodeThreads
{
    /// <summary>
    /// Most threads: methods wait without one, so two would do; more are for those that are held up by a slow disk, or by the code of a
    /// program that embeds a node and goes on here.
    /// </summary>
    private const int Most = 16;

    /// <summary>Threads that are there from the start, so that a node that must end needs no new one.</summary>
    private const int Least = 2;

    private static readonly Lock Lock = new(); // over what follows
    private static readonly Queue<Action> Waiting = new();
    private static readonly SemaphoreSlim Wanted = new(0);
    private static int _threads;
    private static int _idle;

    /// <summary>Makes the threads that are there from the start.</summary>
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

    /// <summary>Runs a method here, and what it waits for brings it back here.</summary>
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

    /// <summary>Runs a method here to its end, which the calling thread waits for: a program's main thread.</summary>
    public static T RunToEnd<T>(Func<Task<T>> method) => Run(method).GetAwaiter().GetResult();

    /// <summary>Completes a source here, so that those who wait for it go on here.</summary>
    public static void Complete<T>(TaskCompletionSource<T> source, T result) => Post(() => source.TrySetResult(result));

    /// <inheritdoc cref="Complete{T}"/>
    public static void Complete(TaskCompletionSource source) => Post(() => source.TrySetResult());

    /// <summary>As <see cref="Complete{T}"/>, with a failure.</summary>
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
                    throw; // nobody is here: the caller must know
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

    /// <summary>A single object for all threads: which of them goes on does not matter.</summary>
    private sealed class Context : SynchronizationContext
    {
        public static Context Instance { get; } = new();

        public override void Post(SendOrPostCallback d, object? state) => NodeThreads.Post(() => d(state));

        public override void Send(SendOrPostCallback d, object? state) => d(state);

        public override SynchronizationContext CreateCopy() => this;
    }
}
