using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Members;

namespace Cocaine.Fast.Cluster.Leases;

/// <summary>
/// Keeps one lease: runs the rules of <see cref="Lease"/> over sessions with the engine, one write at a time. Only
/// <see cref="RunAsync"/> waits, on a thread of the node; all else is from any thread, and returns at once.
/// </summary>
/// <param name="key">The key of the lease.</param>
/// <param name="lease">The rules; the keeper's alone.</param>
/// <param name="clock">The clock of this node.</param>
internal sealed class LeaseKeeper(string key, Lease lease, TimeProvider clock)
{
    /// <summary>The bucket of the leases.</summary>
    public const string Bucket = "cf_leases";

    /// <summary>How often a node that waits for a lease looks at its clock, and whether it should still wait.</summary>
    private const int LookMs = 500;

    private readonly Lock _lock = new(); // guards the fields below, and the rules
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Dictionary<string, Pending> _claims = []; // by task: one at a time
    private readonly Dictionary<string, long> _firedAlone = []; // times of tasks that this node used while the engine was away
    private bool _wasHeld;
    private long _heldSinceMs; // ms since 1970; valid while held
    private volatile bool _isWanted, _isCandidate, _goesOnAlone;
    private TaskCompletionSource? _givenUp; // from the wish to give the lease up on

    /// <summary>Whether this node is among the first that should hold the lease.</summary>
    public bool IsCandidate
    {
        get => _isCandidate;
        set => _isCandidate = value;
    }

    /// <summary>Whether the last holder goes on while the engine is away.</summary>
    public bool GoesOnAlone
    {
        get => _goesOnAlone;
        set => _goesOnAlone = value;
    }

    /// <summary>Told when this node has taken the lease (true) or has it no more.</summary>
    public Action<bool> Changed { get; set; } = static _ => { };

    /// <summary>The highest term that this node knows.</summary>
    public long Term => Locked(static (rules, _) => rules.Term);

    /// <summary>The uuid of the holder, as this node knows it; null when there is none.</summary>
    public string? Holder => Locked(static (rules, _) => rules.Holder);

    /// <summary>Whether this node may act now.</summary>
    public bool MayAct => Locked((rules, nowMs) => _isWanted && (rules.IsHeld(nowMs) || (GoesOnAlone && rules.IsLastHolder)));

    /// <summary>When this node took the lease, by the calendar of this node, ms since 1970.</summary>
    public long HeldSinceMs => Locked((_, _) => _heldSinceMs);

    /// <summary>Whether this node takes part: it runs the app, and is no node that stops. False gives the lease up at once.</summary>
    public bool IsWanted
    {
        get => _isWanted;
        set
        {
            if (_isWanted == value)
            {
                return;
            }

            _isWanted = value;
            if (!value)
            {
                lock (_lock)
                {
                    lease.Release();
                }

                EndClaims(isAlone: false);
            }

            _wake.Release();
        }
    }

    /// <summary>Gives the lease up, and completes when the engine has that; at once when the lease is another node's.</summary>
    public Task GiveUpAsync()
    {
        IsWanted = false;
        lock (_lock)
        {
            if (!lease.IsMine)
            {
                return Task.CompletedTask;
            }

            _givenUp ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _givenUp.Task;
        }
    }

    /// <summary>The uuid of the holder of a lease, as the engine has it; null when there is none.</summary>
    /// <param name="session">The session.</param>
    /// <param name="key">The key of the lease.</param>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public static async Task<string?> HolderAsync(NatsSession session, string key)
    {
        EngineEntry entry = await session.ReadAsync(Bucket, key).ConfigureAwait(false);
        return LeaseText.Read(entry.Value) is { IsReleased: false } record ? record.Node : null;
    }

    /// <summary>The last claimed time of a task, ms since 1970; null when none is known.</summary>
    /// <param name="task">The task.</param>
    public long? FiredOf(string task) => Locked((rules, _) => _firedAlone.TryGetValue(task, out long alone)
        ? Math.Max(alone, rules.FiredOf(task) ?? alone) : rules.FiredOf(task));

    /// <summary>Claims a scheduled time of a task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="timeMs">The time, ms since 1970.</param>
    /// <param name="then">Called once, on any thread: with the term when the time is this node's, with 0 when it is not.</param>
    public void Claim(string task, long timeMs, Action<long> then)
    {
        long term;
        lock (_lock)
        {
            bool isAlone = GoesOnAlone && _isWanted && lease.IsLastHolder;
            if (!isAlone && _isWanted && _claims.TryAdd(task, new Pending(timeMs, NowMs(), then)))
            {
                _wake.Release();
                return;
            }

            term = isAlone ? lease.Term : 0;
            if (isAlone)
            {
                _firedAlone[task] = timeMs;
            }
        }

        then(term);
    }

    /// <summary>Keeps the lease in one session, until it ends.</summary>
    /// <param name="session">The session.</param>
    public async Task RunAsync(NatsSession session)
    {
        bool isWatched = false, mustRead = false;
        lock (_lock)
        {
            lease.OnAttached(session.EngineLife);
        }

        while (!session.Ended.IsCompleted)
        {
            bool isCandidate = _isWanted && _isCandidate;
            if (!isWatched && (isCandidate || Locked(static (rules, _) => rules.IsMine)))
            {
                isWatched = true;
                Watch(session);
            }

            if (mustRead)
            {
                mustRead = !await ReadAsync(session).ConfigureAwait(false);
            }
            else if (Next(isCandidate) is { } write)
            {
                mustRead = !await WriteAsync(session, write).ConfigureAwait(false);
            }
            else
            {
                await Task.WhenAny(_wake.WaitAsync(LookMs), session.Ended).ConfigureAwait(false);
            }
        }

        lock (_lock)
        {
            lease.OnDetached();
        }

        EndClaims(isAlone: _goesOnAlone && _isWanted);
    }

    private void Watch(NatsSession session)
    {
        bool isKnown = false;
        void OnEntry(EngineEntry entry)
        {
            isKnown = true;
            See(entry);
        }

        void OnWhole()
        {
            if (!isKnown)
            {
                See(new EngineEntry(key, null, 0));
            }
        }

        _ = session.WatchAsync(Bucket, OnEntry, OnWhole, key); // does not throw; a fault ends the session
    }

    private async Task<bool> ReadAsync(NatsSession session)
    {
        try
        {
            See(await session.ReadAsync(Bucket, key).ConfigureAwait(false));
            return true;
        }
        catch (EngineException)
        {
            return false; // two of them end the session
        }
    }

    private async Task<bool> WriteAsync(NatsSession session, LeaseWrite write)
    {
        (WriteOutcome outcome, ulong revision) =
            await session.WriteAsync(Bucket, key, MemberText.Write(write.Record), write.Revision).ConfigureAwait(false);
        if (outcome != WriteOutcome.Written)
        {
            return false; // the record is read again: this write may be there
        }

        (string Task, long TimeMs)? claim;
        lock (_lock)
        {
            claim = lease.OnWritten(write, revision, NowMs());
        }

        Note(claim, isSeen: false);
        return true;
    }

    /// <summary>The engine's record, watched or read.</summary>
    private void See(EngineEntry entry)
    {
        (string Task, long TimeMs)? claim;
        lock (_lock)
        {
            claim = lease.OnSeen(LeaseText.Read(entry.Value), entry.Revision, NowMs());
        }

        Note(claim, isSeen: true);
    }

    private LeaseWrite? Next(bool isCandidate)
    {
        lock (_lock)
        {
            long nowMs = NowMs();
            foreach ((string task, Pending claim) in _claims)
            {
                if (lease.Claim(task, claim.TimeMs, nowMs) is { } write)
                {
                    return write;
                }
            }

            return lease.Next(isCandidate, nowMs);
        }
    }

    /// <summary>Ends the claims that are decided, and tells of a lease that came or went.</summary>
    /// <param name="granted">The task and the time that are this node's now.</param>
    /// <param name="isSeen">The engine's record was told, with all that it took before: a claim that is not there was not taken.</param>
    private void Note((string Task, long TimeMs)? granted, bool isSeen)
    {
        List<Action> ends = [];
        lock (_lock)
        {
            long nowMs = NowMs(), term = lease.Term;
            if (granted is { } grant && _claims.TryGetValue(grant.Task, out Pending? mine) && mine.TimeMs == grant.TimeMs)
            {
                _claims.Remove(grant.Task);
                ends.Add(() => mine.Then(term));
            }

            foreach ((string task, Pending claim) in _claims)
            {
                bool isLate = isSeen && nowMs - claim.SinceMs > LeaseLimits.GraceMs;
                if (!lease.IsMine || lease.FiredOf(task) >= claim.TimeMs || isLate)
                {
                    _claims.Remove(task); // allowed during the enumeration
                    ends.Add(() => claim.Then(0));
                }
            }

            bool isHeld = lease.IsHeld(nowMs);
            if (isHeld != _wasHeld)
            {
                _wasHeld = isHeld;
                _heldSinceMs = isHeld ? clock.GetUtcNow().ToUnixTimeMilliseconds() : _heldSinceMs;
                ends.Add(() => Changed(isHeld));
            }

            if (!lease.IsMine)
            {
                _givenUp?.TrySetResult();
                _givenUp = null;
            }
        }

        ends.ForEach(end => end());
    }

    /// <summary>
    /// Ends the claims for which this node asks the engine no more: they are nobody's, or this node's own while it goes on alone.
    /// </summary>
    private void EndClaims(bool isAlone)
    {
        List<Action> ends = [];
        lock (_lock)
        {
            long term = isAlone && lease.IsLastHolder ? lease.Term : 0;
            foreach ((string task, Pending claim) in _claims)
            {
                if (term > 0 || !_isWanted)
                {
                    _claims.Remove(task); // allowed during the enumeration
                    if (term > 0)
                    {
                        _firedAlone[task] = claim.TimeMs;
                    }

                    ends.Add(() => claim.Then(term));
                }
            }
        }

        ends.ForEach(end => end());
    }

    private T Locked<T>(Func<Lease, long, T> look)
    {
        lock (_lock)
        {
            return look(lease, NowMs());
        }
    }

    private long NowMs() => (long)clock.GetElapsedTime(0, clock.GetTimestamp()).TotalMilliseconds;

    /// <summary>A claim without an end yet.</summary>
    /// <param name="TimeMs">The scheduled time, ms since 1970.</param>
    /// <param name="SinceMs">When it was made, by this node's own clock.</param>
    /// <param name="Then">Told of its end, once.</param>
    private sealed record Pending(long TimeMs, long SinceMs, Action<long> Then);
}
