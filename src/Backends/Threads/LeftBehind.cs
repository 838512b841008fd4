namespace Cocaine.Fast.Backends.Threads;

/// <summary>
/// Threads and code of an app's slaves that stay behind in the node: threads that were given up and still run, because a thread cannot be
/// ended from outside, and code that cannot be unloaded. Counted over all versions of the app, from any thread.
/// </summary>
internal sealed class LeftBehind
{
    /// <summary>
    /// The bound past which the app gets no more slaves. Each such thread keeps a stack, two rings and three descriptors; 16 threads are 48
    /// of the usual 1024 descriptors. So a few apps at their bounds do not bring the node down, and an app whose handler hangs now and then
    /// works for a long time.
    /// </summary>
    public const int MostThreads = 16;

    private int _threads;
    private int _toldCode = 1;  // the number of left code at the last report; twice as much is reported again

    public int Threads => Volatile.Read(ref _threads);

    public LeftCode Code { get; } = new();

    public void AddThread() => Interlocked.Increment(ref _threads);

    public void RemoveThread() => Interlocked.Decrement(ref _threads);

    /// <summary>A slave has ended. Returns how much code is left when that is twice the last reported number, otherwise 0.</summary>
    public int AddCode(WeakReference code)
    {
        Code.Add(code);
        int left = Code.Count;
        int told = Volatile.Read(ref _toldCode);
        return left >= 2 * told && Interlocked.CompareExchange(ref _toldCode, left, told) == told ? left : 0;
    }
}
