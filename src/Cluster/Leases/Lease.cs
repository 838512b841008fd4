namespace Cocaine.Fast.Cluster.Leases;

/// <summary>
/// One lease as one node sees it: a state machine without any I/O. At most one node may act at a time, whatever the engine does: writes
/// that get lost or are applied late, engines that come back empty or older, nodes that stand still. No clocks of two nodes are compared,
/// and nothing expires in the engine.
/// </summary>
/// <param name="node">The uuid of this node.</param>
/// <param name="incarnation">The start of this node.</param>
/// <param name="firstSerial">The numbers of this object's writes come after it; no two objects of a start may use one number.</param>
internal sealed class Lease(string node, long incarnation, long firstSerial = 0)
{
    /// <summary>Far enough in the past for every time, and no overflow.</summary>
    private const long Never = long.MinValue / 2;

    /// <summary>Writes without an answer that are remembered: a claim of an older one is too late to run.</summary>
    private const int MostUnanswered = 8;

    private readonly Dictionary<string, long> _fired = [];
    private readonly List<LeaseWrite> _unanswered = [];
    private LeaseRecord? _known;
    private LeaseRecord? _seen;
    private ulong? _revision;
    private long _unchangedSinceMs;
    private long _validUntilMs = Never;
    private long _lastSentMs = Never;
    private long _serial = firstSerial;
    private bool _isFree;
    private bool _mayGoOn;
    private bool _mustWait;
    private bool _isReleasing;
    private string? _life;         // the life of the engine in which the record was seen last; null when it is not known
    private string? _attachedLife; // that of the present session; valid while attached

    /// <summary>The highest term that this node knows: the number that fences the work of an older holder.</summary>
    public long Term => _known?.Term ?? 0;

    /// <summary>Whether this node may act now. A node that stood still asks again before each act.</summary>
    /// <param name="nowMs">This node's own monotonic clock, ms.</param>
    public bool IsHeld(long nowMs) => nowMs < _validUntilMs && !_isReleasing;

    /// <summary>The holder as this node knows it: its uuid; null when the lease is free, or was never seen.</summary>
    public string? Holder => _known is { IsReleased: false } known ? known.Node : null;

    /// <summary>
    /// Whether this node was the last holder, and the engine is away: it may act for apps that rather have jobs twice than not at all.
    /// </summary>
    public bool IsLastHolder => _revision is null && !_isReleasing && _known is not null && Holds(_known);

    /// <summary>Whether the lease is this node's in the record, for which it must still give it up.</summary>
    public bool IsMine => _known is not null && Holds(_known);

    /// <summary>The last time of a task that any holder has claimed, ms since 1970; null when none is known.</summary>
    /// <param name="task">The name of the task.</param>
    public long? FiredOf(string task) => _fired.TryGetValue(task, out long time) ? time : null;

    /// <summary>The engine's record, read or watched. Records of a session that come late are ignored.</summary>
    /// <param name="record">The record; null when there is none.</param>
    /// <param name="revision">The engine's revision of it; 0 without a record.</param>
    /// <param name="nowMs">This node's own monotonic clock, ms.</param>
    /// <returns>The claim of an unanswered write that turns out to be applied: its job is to run. Null without one.</returns>
    public (string Task, long TimeMs)? OnSeen(LeaseRecord? record, ulong revision, long nowMs)
    {
        if (revision < _revision)
        {
            return null;
        }

        // An engine that has lived on since the record was seen has forgotten nothing: its record is the last one.
        bool isFirst = _revision is null, mayHaveForgotten = isFirst && (_life is null || _life != _attachedLife);
        _life = _attachedLife;
        if (isFirst || !LeaseRecord.AreSame(record, _seen))
        {
            _unchangedSinceMs = nowMs;

            // A session that begins with a released record may be one with an older engine, which forgot that somebody took the lease.
            _isFree = !mayHaveForgotten && record is { IsReleased: true };
        }

        _seen = record;
        _revision = revision;
        _mustWait = false;
        Learn(record?.Fired);
        LeaseWrite? applied = record is null ? null : _unanswered.Find(write => LeaseRecord.AreSame(write.Record, record));
        if (record is not null && (_known is null || record.CompareAge(_known) >= 0))
        {
            _known = record;
            if (!Holds(record))
            {
                _validUntilMs = Never;
                _isReleasing = false;
            }
        }

        (string Task, long TimeMs)? claim = applied is null ? null : Apply(applied);

        // The lease may have gone on without this node, and the engine may have forgotten that: then only a valid holder goes on in a new
        // session. Otherwise a holder past its time may renew, too: the record shows that nobody was in between, and a write proves it.
        _mayGoOn &= !mayHaveForgotten || IsHeld(nowMs);
        return claim;
    }

    /// <summary>A session with the engine begins.</summary>
    /// <param name="life">
    /// The name of the engine's life: it changes with each start, after which the engine may be older. Null when that is not known.
    /// </param>
    public void OnAttached(string? life) => _attachedLife = life;

    /// <summary>
    /// The session with the engine ended: revisions of another session mean nothing, as the engine may have come back older.
    /// </summary>
    public void OnDetached()
    {
        _revision = null;
        _mustWait = false;
    }

    /// <summary>The write that is due, or null. The caller sends it, and tells its outcome.</summary>
    /// <param name="isCandidate">Whether this node runs the app and is among the first <see cref="LeaseLimits.Candidates"/>.</param>
    /// <param name="nowMs">This node's own monotonic clock, ms.</param>
    public LeaseWrite? Next(bool isCandidate, long nowMs)
    {
        if (_revision is null || _mustWait)
        {
            return null;
        }

        bool isSeenMine = _mayGoOn && _known is not null && Holds(_known) && LeaseRecord.AreSame(_seen, _known);
        if (_isReleasing && isSeenMine)
        {
            return Send(NextRecord(isReleased: true), null, nowMs);
        }

        if (IsHeld(nowMs) || isSeenMine)
        {
            // A record that the engine forgot is written again at once, while nobody else may take the lease.
            return nowMs - _lastSentMs >= LeaseLimits.RenewMs || !isSeenMine ? Send(NextRecord(isReleased: false), null, nowMs) : null;
        }

        return isCandidate && (_isFree || nowMs - _unchangedSinceMs >= LeaseLimits.PatienceMs)
            ? Send(new LeaseRecord(node, incarnation, ++_serial, Term + 1, 0, IsReleased: false, Fired()), null, nowMs) : null;
    }

    /// <summary>
    /// Claims a scheduled time of a task before its job is made; null when the lease is not held, the time was claimed before, or another
    /// write is on its way.
    /// </summary>
    /// <param name="task">The name of the task.</param>
    /// <param name="timeMs">The scheduled time, ms since 1970.</param>
    /// <param name="nowMs">This node's own monotonic clock, ms.</param>
    public LeaseWrite? Claim(string task, long timeMs, long nowMs)
    {
        if (!IsHeld(nowMs) || _revision is null || _mustWait || FiredOf(task) >= timeMs)
        {
            return null;
        }

        LeaseRecord record = NextRecord(isReleased: false);
        return Send(record with { Fired = new Dictionary<string, long>(_fired) { [task] = timeMs } }, (task, timeMs), nowMs);
    }

    /// <summary>The engine took the write.</summary>
    /// <param name="write">The write.</param>
    /// <param name="revision">The engine's revision of it.</param>
    /// <param name="nowMs">This node's own monotonic clock, ms.</param>
    /// <returns>The claim of the write: its job is to run. Null without one, and when it was returned before.</returns>
    public (string Task, long TimeMs)? OnWritten(LeaseWrite write, ulong revision, long nowMs) =>
        _unanswered.Contains(write) ? OnSeen(write.Record, revision, nowMs) : null;

    /// <summary>Gives the lease up at once, after a drain, a pause or a clean stop: <see cref="Next"/> writes it.</summary>
    public void Release() => _isReleasing = _known is not null && Holds(_known);

    private (string Task, long TimeMs)? Apply(LeaseWrite applied)
    {
        _unanswered.Clear(); // each write began at the record that was read after the one before: those before were not applied
        bool isNewest = LeaseRecord.AreSame(_known, applied.Record);
        if (isNewest && Holds(applied.Record))
        {
            _validUntilMs = Math.Max(_validUntilMs, applied.SentMs + LeaseLimits.ValidMs);
            _mayGoOn = true;
        }

        return applied.Claim;
    }

    private void Learn(IReadOnlyDictionary<string, long>? fired)
    {
        foreach ((string task, long time) in fired ?? new Dictionary<string, long>())
        {
            _fired[task] = Math.Max(time, _fired.GetValueOrDefault(task));
        }
    }

    private LeaseRecord NextRecord(bool isReleased) =>
        new(node, incarnation, ++_serial, _known!.Term, _known.Renewal + 1, isReleased, Fired());

    private LeaseWrite Send(LeaseRecord record, (string Task, long TimeMs)? claim, long nowMs)
    {
        LeaseWrite write = new(record, _revision!.Value, nowMs, claim);
        if (_unanswered.Count == MostUnanswered)
        {
            _unanswered.RemoveAt(0);
        }

        _unanswered.Add(write);
        _lastSentMs = nowMs;
        _mustWait = true; // for the answer, or for the read after a refusal or a silence
        return write;
    }

    private Dictionary<string, long> Fired() => new(_fired);

    private bool Holds(LeaseRecord record) => record.Node == node && record.Incarnation == incarnation && !record.IsReleased;
}
