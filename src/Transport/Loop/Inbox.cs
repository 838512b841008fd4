using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The work that other threads post to a loop, and the agreement by which they wake it: the bell rings only for a loop that sleeps.
/// </summary>
/// <param name="bell">Wakes the loop; its owner watches and closes it.</param>
internal sealed class Inbox(EventDescriptor bell)
{
    private readonly WorkQueue _posted = new();
    private int _asleep; // 1 while the loop waits and must be woken by whoever posts

    public bool IsEmpty => _posted.IsEmpty;

    /// <summary>From any thread.</summary>
    public void Post(LoopWork work)
    {
        // The compare-exchange in Add is a full fence between the store of the work and the load of _asleep; its other half is the fence in
        // TryFallAsleep between the store of _asleep and the look at the queue.
        if (_posted.Add(work) && Volatile.Read(ref _asleep) == 1 && Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            bell.Ring();
        }
    }

    /// <summary>Whoever posts from now on wakes the loop; false when there is work already, so that the loop must not sleep.</summary>
    public bool TryFallAsleep()
    {
        // Interlocked: a full fence between the store of _asleep and the look at the queue. Other half: the fence in Post.
        Interlocked.Exchange(ref _asleep, 1);
        return _posted.IsEmpty;
    }

    /// <summary>The loop is awake, and looks at its inbox before it sleeps again.</summary>
    public void WakeUp() => Volatile.Write(ref _asleep, 0);

    /// <summary>Runs what is there now, in the order of its posting.</summary>
    /// <param name="onFault">Hears of work that failed; the rest of it runs.</param>
    public void RunAll(Action<Exception> onFault) => _posted.RunAll(onFault);
}
