using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// One thread around one epoll. The loop owns everything that lives on it: a turn runs to its end, so state has one writer and needs no
/// lock.
/// </summary>
/// <remarks>
/// A turn: wait for events · handle them · poll busy rings · run posted work · fire timers · ring bells · send. So the loop has heard all
/// messages of its peers when a timer judges them; see <see cref="ListenFirst"/>. Only <see cref="Post(LoopWork)"/>,
/// <see cref="Post(Action)"/> and <see cref="Stop"/> may be called from other threads.
/// </remarks>
internal sealed class EventLoop : IEngineLoop, IDisposable
{
    /// <summary>The longest sleep; bounds every wait, even when no timer is due.</summary>
    private const long MaxSleepNs = 60_000_000_000;

    /// <summary>Time between two log lines about the same lack.</summary>
    private const long WarningPauseMs = 60_000;

    /// <summary>
    /// The most looks at the descriptors after a stall: enough to hear 16 × 512 peers, and an end when a peer never falls silent.
    /// </summary>
    private const int MaxLooks = 16;

    /// <summary>Stalls from here on are logged: shorter ones are normal, and no timeout is that short.</summary>
    private const long LoggedStallNs = 1_000_000_000;

    private readonly Epoll _epoll;
    private readonly EventDescriptor _wake;
    private readonly Inbox _inbox;
    private readonly HandlerTable _handlers = new();
    private readonly PolledSources _polled = new();
    private readonly TurnList _bells = new();
    private readonly TurnList _sends = new();
    private readonly ILogger _log;
    private readonly Action<Exception> _onFault;
    private readonly long _spinNs;
    private readonly ListeningClock _listening;
    private Thread? _thread;
    private long _nextWarningMs;  // only the loop's thread uses it
    private long _nextStallLogMs; // only the loop's thread uses it
    private volatile bool _stopping;
    private int _disposed;        // 1 once the descriptors were given back, or are left to a thread that does not end

    /// <param name="log">Gets faults of handlers.</param>
    /// <param name="spinMicroseconds">How long the loop looks for work before it sleeps; 0 where cores are few.</param>
    public EventLoop(ILogger log, int spinMicroseconds = 0)
    {
        _log = log;
        _onFault = fault => LoopLog.HandlerFault(log, fault);
        _spinNs = spinMicroseconds * Clock.NsPerUs;
        NowNs = Clock.NowNs;
        _listening = new ListeningClock(NowNs);
        Timers = new DeadlineWheel(NowMs);
        Patience = new DeadlineWheel(NowMs);
        Buffers = new BufferPool(Timers, () => NowMs);
        Partials = new PartialMessages(Patience, () => ListenedMs);
        _epoll = new Epoll();
        try
        {
            _wake = new EventDescriptor();
            _inbox = new Inbox(_wake);
            _epoll.Watch(_wake.Descriptor, Epoll.In | Epoll.EdgeTriggered, HandlerTable.WakeData);
        }
        catch
        {
            _wake?.Dispose();
            _epoll.Dispose();
            throw;
        }
    }

    /// <summary>Monotonic time of this turn in ns.</summary>
    public long NowNs { get; private set; }

    /// <summary>Monotonic time of this turn in ms; the clock of <see cref="Timers"/>.</summary>
    public long NowMs => Clock.MsOf(NowNs);

    /// <inheritdoc/>
    public long ListenedMs => _listening.ListenedMs(NowNs);

    public DeadlineWheel Timers { get; }

    public DeadlineWheel Patience { get; }

    public BlockPool Blocks { get; } = new();

    /// <summary>Buffers of the connections that live on this loop.</summary>
    public BufferPool Buffers { get; }

    /// <summary>Bounds the bytes of unfinished messages.</summary>
    public PartialMessages Partials { get; }

    /// <summary>Collects the sends at the end of a turn.</summary>
    public SendBatch SendBatch { get; } = new();

    /// <summary>The ring whose records are being taken, for sends without a copy.</summary>
    public Lending Lending { get; } = new();

    public LoopCounters Counters { get; } = new();

    public bool IsLoopThread => Thread.CurrentThread == _thread;

    /// <summary>Starts the loop's thread.</summary>
    public void Start(string name)
    {
        Thread thread = new(Run) { Name = name, IsBackground = true };
        thread.Start(); // after an exception here there is no thread to wait for
        _thread = thread;
    }

    public void Watch(LoopHandler handler, int descriptor, uint events) => _epoll.Watch(descriptor, events, _handlers.Add(handler));

    public void Change(LoopHandler handler, int descriptor, uint events) => _epoll.Change(descriptor, events, _handlers.DataOf(handler));

    /// <summary>Stops watching; unhandled events of this turn are dropped.</summary>
    public void Forget(LoopHandler handler, int descriptor)
    {
        if (handler.Slot >= 0)
        {
            _handlers.Remove(handler);
            _epoll.Forget(descriptor);
        }
    }

    /// <summary>Polls a ring from now on until the ring parks.</summary>
    public void Poll(PolledSource source) => _polled.Add(source);

    /// <summary>Bells ring before the loop sends, so that slaves work while it sends.</summary>
    public void ScheduleBell(TurnTask task) => _bells.Add(task);

    public void ScheduleSend(TurnTask task) => _sends.Add(task);

    /// <summary>Runs work on the loop, from any thread. Work that is posted after the loop's end never runs.</summary>
    public void Post(LoopWork work) => _inbox.Post(work);

    public void Post(Action action) => Post(new ActionWork(action));

    /// <summary>Ends the loop after the turn; from any thread.</summary>
    public void Stop()
    {
        _stopping = true;
        _wake.Ring();
    }

    /// <summary>Logs that a connection was refused because of a lack of descriptors; at most once a minute. On the loop's thread.</summary>
    public void WarnOfDescriptors(int limit)
    {
        if (NowMs >= _nextWarningMs)
        {
            _nextWarningMs = NowMs + WarningPauseMs;
            LoopLog.NoDescriptors(_log, limit);
        }
    }

    /// <summary>Logs that others can replace this socket with a socket of theirs.</summary>
    public void WarnOfFolder(string endpoint, string problem) => LoopLog.FolderOfOthers(_log, endpoint, problem);

    /// <summary>Waits for the loop's thread to end.</summary>
    public bool Join(TimeSpan timeout) => _thread is null || _thread.Join(timeout);

    public void Dispose()
    {
        Stop();

        // Once, by the first caller: a failed start and the stop after it both dispose.
        if (!IsLoopThread && Interlocked.Exchange(ref _disposed, 1) == 0 && Join(TimeSpan.FromSeconds(5)))
        {
            _epoll.Dispose();
            _wake.Dispose();
            SendBatch.Dispose();
        }
    }

    /// <summary>The loop itself, on the calling thread, until <see cref="Stop"/>.</summary>
    internal void Run()
    {
        _thread ??= Thread.CurrentThread;
        while (!_stopping)
        {
            try
            {
                Turn(Sleep());
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // Unexpected: handlers end their own connection on their own errors. The loop goes on, because other apps live on it.
                _onFault(fault);
            }
        }
    }

    private int Sleep()
    {
        long timeout = NextTimeoutNs();
        _listening.OnWait(timeout);
        if (timeout > 0 && _spinNs > 0)
        {
            int found = Spin();
            if (found > 0 || !_inbox.IsEmpty)
            {
                return found;
            }
        }

        if (!_inbox.TryFallAsleep() || !_polled.TryParkAll())
        {
            timeout = 0;
        }

        int count = _epoll.WaitNs(timeout);
        _inbox.WakeUp();
        return count;
    }

    private int Spin()
    {
        long until = Clock.NowNs + _spinNs;
        do
        {
            int count = _epoll.Wait(0);
            if (count > 0 || !_inbox.IsEmpty)
            {
                return count;
            }
        }
        while (Clock.NowNs < until);

        return 0;
    }

    private void Turn(int events)
    {
        NowNs = Clock.NowNs;
        Counters.Turns++;
        HandleEvents(events);
        if (_listening.OnLook(NowNs) is > 0 and long missedNs)
        {
            ListenFirst(missedNs);
        }

        _polled.PollAll();
        _inbox.RunAll(_onFault);
        Timers.Advance(NowMs);
        Patience.Advance(ListenedMs);
        _bells.RunAll();
        SendBatch.Begin(_sends.Count);
        try
        {
            _sends.RunAll();
        }
        finally
        {
            SendBatch.Flush(); // also after a fault in one task: the data of other tasks is sent
        }

        _bells.RunAll();
    }

    private void HandleEvents(int events)
    {
        for (int i = 0; i < events; i++)
        {
            uint ready = _epoll.Event(i, out ulong data);
            if (_handlers.Find(data) is { } handler)
            {
                Handle(handler, ready);
            }
        }
    }

    /// <summary>
    /// The loop did not run for a while, and a stopped process may come back from a wait without events although there are some. The loop
    /// hears all messages of its peers before a timer judges them, so that an answer that is there counts as an answer.
    /// </summary>
    private void ListenFirst(long missedNs)
    {
        Counters.Stalls++;
        Counters.StalledNs += missedNs;
        if (missedNs >= LoggedStallNs && NowMs >= _nextStallLogMs)
        {
            _nextStallLogMs = NowMs + WarningPauseMs;
            LoopLog.Stalled(_log, Clock.MsOf(missedNs));
        }

        for (int i = 0; i < MaxLooks && _epoll.Wait(0) is > 0 and int count; i++)
        {
            HandleEvents(count);
        }
    }

    // A fault in one handler must not lose the events of others: edge-triggered events would not come again.
    private void Handle(LoopHandler handler, uint ready)
    {
        try
        {
            handler.OnReady(ready);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _onFault(fault);
        }
    }

    private long NextTimeoutNs()
    {
        long now = Clock.NowNs;
        _listening.OnWorked(now);
        if (_bells.Any || _sends.Any)
        {
            return 0;
        }

        long dueMs = Timers.NextDueMs(Clock.MsOf(now));
        long leftNs = dueMs == long.MaxValue ? MaxSleepNs : (dueMs * Clock.NsPerMs) - now;
        long listenedNs = _listening.ListenedNs(now);
        long patienceMs = Patience.NextDueMs(Clock.MsOf(listenedNs));
        if (patienceMs != long.MaxValue)
        {
            leftNs = Math.Min(leftNs, (patienceMs * Clock.NsPerMs) - listenedNs);
        }

        return Math.Clamp(leftNs, 0, MaxSleepNs);
    }
}
