using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// One engine of a version on several loops, and its siblings. An engine whose jobs wait for too long looks at the words of its siblings,
/// and sends jobs to those with slaves that have nothing to do. A sibling that has room no longer sends them back.
/// </summary>
/// <remarks>
/// Jobs go to slaves, and not slaves to jobs: a slave's descriptors, timers and jobs stay on one loop, so a job needs no more than a copy
/// of its request, and comes back as if it had never left when the room is gone. Without overload nothing is sent and nothing read.
/// </remarks>
internal sealed class Siblings : WheelTimer, ISiblings
{
    /// <summary>
    /// Time between two looks while jobs wait: short beside any wait that is worth another slave, and no load.
    /// </summary>
    private const int LookMs = 1;

    /// <summary>Time until a sibling is asked for further slaves: about the shortest start of one.</summary>
    private const int GrowPauseMs = 20;

    /// <summary>Time until a sibling that has sent a job back gets another one: its word says more than it has.</summary>
    private const int RefusedPauseMs = 10;

    /// <summary>The most objects for jobs that are kept for reuse: slaves of a large pool.</summary>
    private const int MostFree = 256;

    private readonly AppEngine _engine;
    private readonly Action<ShardMail> _post;
    private readonly StartTurn _turn;
    private readonly ShardWord _word = new();
    private readonly Dictionary<string, TaskMonitor> _guestTasks = []; // their times are measured at home, and these thrown away
    private readonly HashSet<AwayJob> _guests = [];
    private readonly HashSet<AwayJob> _away = [];
    private readonly Stack<AwayJob> _free = new();
    private Sibling[] _others = [];
    private int _next;          // the sibling that is looked at first: each gets its share
    private long _growDueMs;
    private long _heard;        // what all shards together have told of starts, as far as it has come here

    private Siblings(AppEngine engine, Action<ShardMail> post, StartTurn turn, bool isHome)
    {
        _engine = engine;
        _post = post;
        _turn = turn;
        IsHome = isHome;
    }

    /// <inheritdoc/>
    public bool IsHome { get; }

    /// <inheritdoc/>
    public bool HaveRoom => Array.Exists(_others, static other => other.Shard._word.Slaves > 0);

    /// <inheritdoc/>
    public bool HasTurn => _turn.IsOf(this);

    public IEngineLoop Loop => _engine.Loop;

    /// <inheritdoc/>
    public int WaitingGuests => _guests.Count(away => away.Guest?.State is JobState.Queued or JobState.Placed);

    /// <inheritdoc/>
    public int RunningGuests => _guests.Count - WaitingGuests;

    /// <summary>Makes the engines of a version siblings of each other; before they start.</summary>
    /// <param name="engines">The engines, each with the way of messages to its loop.</param>
    public static void Connect(IReadOnlyList<(AppEngine Engine, Action<ShardMail> Post)> engines)
    {
        StartTurn turn = new();
        Siblings[] all = [.. engines.Select((one, i) => new Siblings(one.Engine, one.Post, turn, isHome: i == 0))];
        foreach (Siblings one in all)
        {
            one._others = [.. all.Where(other => other != one).Select(other => new Sibling(other))];
            one._engine.Scope.Siblings = one;
            one.OnRoom(0, one._engine.Pool.Roster.FreePlaces); // it may have places before it has a slave that moves
        }
    }

    /// <summary>Sends a message to this engine's loop; from any loop.</summary>
    public void Post(ShardMail mail) => _post(mail);

    /// <inheritdoc/>
    public void OnWaits()
    {
        if (!IsArmed)
        {
            Loop.Timers.Arm(this, Loop.NowMs); // at the end of the turn, when the requests that came in it are whole
        }
    }

    /// <inheritdoc/>
    public void MakeRoom()
    {
        if (_engine.Queue.Suspects.Count == 0)
        {
            SendAway(Loop.NowMs);
        }
    }

    /// <inheritdoc/>
    public void OnRoom(int slaves, int places) => _word.Tell(slaves, places);

    /// <inheritdoc/>
    public bool TryTakeTurn() => _turn.TryTake(this, _heard);

    /// <inheritdoc/>
    public void TellStarts(int failures, bool hadJobs, string cause)
    {
        _heard++;
        _turn.Tell(this); // nobody has the next turn before it has heard
        foreach (Sibling other in _others)
        {
            other.Shard.Post(new StartsMail(other.Shard, failures, hadJobs, cause));
        }
    }

    /// <summary>A sibling tells how starts go.</summary>
    public void OnStarts(int failures, bool hadJobs, string cause)
    {
        _heard++;
        _engine.Pool.Starts.OnTold(failures, hadJobs, cause);
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        JobQueue queue = _engine.Queue;
        SlavePool pool = _engine.Pool;
        if (queue.Usual == 0 || _engine.State == EngineState.Stopped)
        {
            return; // the next job that waits arms the timer again
        }

        if (queue.Suspects.Count == 0 && pool.Pick() is null && pool.Growth.IsWaitLong(queue.Count))
        {
            SendAway(nowMs);
            AskForSlaves(nowMs);
        }

        Loop.Timers.Arm(this, nowMs + LookMs);
    }

    /// <summary>A job that is away has its answer from here.</summary>
    public void OnCancelled(AwayJob away) => _away.Remove(away);

    /// <inheritdoc/>
    public void FailAll(int code, string reason, ErrorCause cause)
    {
        foreach (AwayJob away in _away.ToArray())
        {
            _engine.Fail(away.Job!, code, reason, cause: cause);
        }
    }

    /// <summary>A job of a sibling has come: a slave takes it at once, or it goes back.</summary>
    public void Receive(AwayJob away)
    {
        if (_engine.Queue.Unplaced > 0 || _engine.State == EngineState.Stopped || _engine.Pool.Pick() is not { } slave)
        {
            away.Refuse();
            return;
        }

        if (!_guestTasks.TryGetValue(away.TaskName, out TaskMonitor? task))
        {
            task = new TaskMonitor(away.TaskName, sparse: true);
            _guestTasks.Add(away.TaskName, task);
        }

        _guests.Add(away);
        away.Begin(_engine.Shared, task, slave);
    }

    /// <summary>A guest has its answer.</summary>
    public void Forget(AwayJob away) => _guests.Remove(away);

    /// <summary>Nobody wants the answer of a guest any more.</summary>
    public void CancelGuest(AwayJob away, Job guest, in JobError error)
    {
        _guests.Remove(away);
        _engine.Shared.CancelGuest(guest, in error);
    }

    /// <summary>A job has come back from a sibling: refused, or with the end of its answer.</summary>
    public void OnHome(AwayJob away, Job job, bool refused, bool failed, in JobError error)
    {
        _away.Remove(away);
        if (away.IsFree && _free.Count < MostFree)
        {
            _free.Push(away);
        }

        if (refused)
        {
            _engine.Counters.JobsSentBack++;
            Array.Find(_others, other => other.Shard == away.Sibling)!.NextMs = Loop.NowMs + RefusedPauseMs;
            _engine.Shared.TakeBack(job);
        }
        else
        {
            _engine.Shared.End(job, failed, in error);
        }
    }

    /// <summary>A sibling's jobs wait, and it may launch no more slaves: those that come up here take some of them.</summary>
    public void GrowForOthers(int slaves) => _engine.Pool.Growth.GrowForOthers(slaves);

    /// <summary>Sends jobs to siblings with room.</summary>
    private void SendAway(long nowMs)
    {
        for (int i = 0; i < _others.Length; i++)
        {
            _next = (_next + 1) % _others.Length;
            Sibling sibling = _others[_next];
            for (int room = sibling.RoomAt(nowMs); room > 0 && _engine.Shared.TryTakeAway(out Job? job); room--)
            {
                if (job is not null)
                {
                    sibling.Sent++;
                    Send(job, sibling.Shard);
                }
            }
        }
    }

    /// <summary>Jobs wait, and this pool is at its limit: a sibling with places is asked for slaves.</summary>
    private void AskForSlaves(long nowMs)
    {
        if (_engine.Queue.Usual > 0 && nowMs >= _growDueMs && _engine.Pool.Roster.FreePlaces <= 0)
        {
            _growDueMs = nowMs + GrowPauseMs;
            Siblings? roomy = Array.Find(_others, other => other.Shard._word.Places > 0)?.Shard;
            roomy?.Post(new GrowMail(roomy, _engine.Queue.Usual));
        }
    }

    private void Send(Job job, Siblings sibling)
    {
        if (!_free.TryPop(out AwayJob? away))
        {
            away = new AwayJob(this);
        }

        _engine.Counters.JobsSentAway++;
        _away.Add(away);
        away.Send(job, sibling);
    }

    /// <summary>A sibling as this engine sees it.</summary>
    private sealed class Sibling(Siblings shard)
    {
        /// <summary>
        /// How long it may take until a sibling has taken a job, and its word says so. A job too many is sent back.
        /// </summary>
        private const int WordLagMs = 2;

        private long _sinceMs;
        private int _roomThen;   // the word at that time

        public Siblings Shard => shard;

        /// <summary>The time before which no job goes there.</summary>
        public long NextMs { get; set; }

        /// <summary>Jobs that were sent since the word was taken down.</summary>
        public int Sent { get; set; }

        /// <summary>How many jobs may go there now.</summary>
        public int RoomAt(long nowMs)
        {
            if (nowMs >= _sinceMs + WordLagMs)
            {
                _sinceMs = nowMs;
                _roomThen = shard._word.Slaves;
                Sent = 0;
            }

            // The word may know of the sent jobs by now, or not yet: so it is not lessened by them, but what it was before is.
            return nowMs < NextMs ? 0 : Math.Min(shard._word.Slaves, _roomThen - Sent);
        }
    }
}
