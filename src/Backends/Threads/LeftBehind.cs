namespace Cocaine.Fast.Backends.Threads;

/// <summary>
/// Threads and code that slaves of an app have left behind in the node: threads that were given up and run on, because a thread
/// cannot be ended from outside, and code that cannot be unloaded. Counted over all versions of the app, from any thread.
/// </summary>
internal sealed class LeftBehind
{
    /// <summary>
    /// Past it the app gets no more slaves. Each such thread keeps a stack, two rings and three descriptors; 16 are 48 of the usual 1024
    /// descriptors, so a few apps at their bounds do not take the node along, and an app whose handler hangs now and then goes on for long.
    /// </summary>
    public const int MostThreads = 16;

    private int _threads;
    private int _toldCode = 1;  // code left when it was told last; twice as much is told again

    public int Threads => Volatile.Read(ref _threads);

    public LeftCode Code { get; } = new();

    public void AddThread() => Interlocked.Increment(ref _threads);

    public void RemoveThread() => Interlocked.Decrement(ref _threads);

    /// <summary>A slave has ended; says how much code is left now when it is twice what was said before, else 0.</summary>
    public int AddCode(WeakReference code)
    {
        Code.Add(code);
        int left = Code.Count;
        int told = Volatile.Read(ref _toldCode);
        return left >= 2 * told && Interlocked.CompareExchange(ref _toldCode, left, told) == told ? left : 0;
    }
}
