using Cocaine.Fast.Cluster.Engine;

namespace Cocaine.Fast.Cluster.Members;

/// <summary>The outcome of a node's attempt to be a member.</summary>
internal enum EntryOutcome
{
    /// <summary>The node is a member.</summary>
    In,

    /// <summary>The node stays out for now, and tries again later: the text says for what.</summary>
    StaysOut,

    /// <summary>The node stays out until its next start: a copy of it has started after it.</summary>
    Left,
}

/// <summary>Makes a node a member in one session with the engine: the rules about clusters and names.</summary>
/// <param name="session">The session.</param>
/// <param name="self">The node.</param>
/// <param name="folder">The node's own memory of its cluster.</param>
/// <param name="clock">The clock of this node.</param>
internal sealed class Membership(NatsSession session, MemberRecord self, ClusterFolder folder, TimeProvider clock)
{
    /// <summary>The bucket of the cluster's identity.</summary>
    public const string ClusterBucket = "cf_cluster";

    /// <summary>The bucket of the members.</summary>
    public const string NodesBucket = "cf_nodes";

    private const string IdKey = "id";

    /// <summary>How often a write is tried that others overtake: as many nodes may start in one moment.</summary>
    private const int MostWrites = 8;

    /// <summary>
    /// How long a node without a cluster waits before it makes one in an empty engine: an engine that lost its disk gets its cluster back
    /// from the nodes that belong to it, which try every second at most when it starts.
    /// </summary>
    private static readonly TimeSpan NewClusterWait = TimeSpan.FromSeconds(1.5);

    /// <summary>How long the engine may take to tell all members: some MB at the most.</summary>
    private static readonly TimeSpan MembersLimit = TimeSpan.FromSeconds(10);

    private byte[] _told = MemberText.Write<IReadOnlyList<AppPlace>>([]); // the places that the others know

    private ulong _revision; // of this node's record; 0 before it is a member
    private bool _isDraining = self.IsDraining; // by that record

    /// <summary>The members as this session sees them.</summary>
    public MemberTable Table { get; } = new(self.Uuid, clock);

    /// <summary>The cluster; null before the node has entered.</summary>
    public ClusterId? Cluster { get; private set; }

    /// <summary>Makes the node a member.</summary>
    /// <param name="mayTakeOver">Whether the user allows to take the name of a node that is gone.</param>
    /// <param name="end">The node stops.</param>
    /// <returns>The outcome, and the words for it when the node stays out.</returns>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public async Task<(EntryOutcome Outcome, string Reason)> EnterAsync(bool mayTakeOver, CancellationToken end)
    {
        if (await FindClusterAsync(end).ConfigureAwait(false) is { } refusal)
        {
            return (EntryOutcome.StaysOut, refusal);
        }

        TaskCompletionSource whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = session.ListenAsync(AliveSubject, Table.OnBeat); // neither throws; a fault ends the session
        _ = session.WatchAsync(NodesBucket, Table.OnEntry, whole.SetResult);
        await Task.WhenAny(whole.Task, session.Ended).WaitAsync(MembersLimit, clock, end).ConfigureAwait(false);
        return await ClaimAsync(mayTakeOver, end).ConfigureAwait(false);
    }

    /// <summary>Whether the node's record is another one now: the node is no member any more, and must enter again.</summary>
    public bool IsDisplaced => Table.IsDisplaced(self, _revision);

    /// <summary>
    /// Whether the engine passes on what this node tells: an engine that stands does not, and its connection lasts for seconds.
    /// </summary>
    public bool IsHeard => Table.HeardAgoMs(self.Uuid) is null or <= NameClaim.AliveMs;

    /// <summary>Tells other words of this node; a write that fails is made again with the next words.</summary>
    /// <param name="places">The apps of the cluster that are ready here, in the order of their names.</param>
    public async Task TellAsync(IReadOnlyList<AppPlace> places)
    {
        byte[] words = MemberText.Write(places);
        if (words.AsSpan().SequenceEqual(_told))
        {
            return;
        }

        string[] ready = [.. places.Select(place => place.App)];
        byte[] text = MemberText.Write(self with { Ready = ready, Places = places, IsDraining = _isDraining });
        (WriteOutcome outcome, ulong revision) =
            await session.WriteAsync(NodesBucket, self.Name, text, _revision).ConfigureAwait(false);
        if (outcome == WriteOutcome.Written)
        {
            _revision = revision;
            _told = words;
            Table.OnEntry(new EngineEntry(self.Name, text, revision));
        }
        else
        {
            // The write may be there, or another node has said that this one drains.
            EngineEntry entry = await session.ReadAsync(NodesBucket, self.Name).ConfigureAwait(false);
            if (MemberText.Read<MemberRecord>(entry.Value) is { IsRemoved: false } mine && mine.Uuid == self.Uuid
                && mine.Incarnation == self.Incarnation)
            {
                (_revision, _isDraining) = (entry.Revision, mine.IsDraining);
            }
        }
    }

    /// <summary>
    /// Says in this node's record that it stops: see <see cref="MemberRecord.IsStopping"/>. A lost write is not made again.
    /// </summary>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task SayStopsAsync()
    {
        EngineEntry entry = await session.ReadAsync(NodesBucket, self.Name).ConfigureAwait(false);
        if (MemberText.Read<MemberRecord>(entry.Value) is { IsRemoved: false } mine && mine.Uuid == self.Uuid
            && mine.Incarnation == self.Incarnation)
        {
            await session.WriteAsync(NodesBucket, self.Name, MemberText.Write(mine with { IsStopping = true }), entry.Revision)
                .ConfigureAwait(false);
        }
    }

    /// <summary>Gives a sign of life.</summary>
    /// <param name="beat">The sign.</param>
    /// <exception cref="EngineException">The session has ended.</exception>
    public async Task BeatAsync(Heartbeat beat)
    {
        await session.TellAsync(AliveSubject, MemberText.Write(beat)).ConfigureAwait(false);
        if (beat.IsLast)
        {
            await session.FlushAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Puts a tombstone in the place of a member that is down, so that its name is free.</summary>
    /// <param name="name">The member.</param>
    /// <param name="isSelf">Whether the node removes itself.</param>
    /// <returns>The reason against it; null when it is done.</returns>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<string?> RemoveAsync(string name, bool isSelf)
    {
        for (int i = 0; i < MostWrites; i++)
        {
            EngineEntry entry = await session.ReadAsync(NodesBucket, name).ConfigureAwait(false);
            MemberRecord? record = MemberText.Read<MemberRecord>(entry.Value);
            if (record is null or { IsRemoved: true })
            {
                return i > 0 ? null : $"no node {name} is in the cluster";
            }

            SeenMember? seen = Table.View().Nodes.FirstOrDefault(node => node.Record.Name == name);
            if (!isSelf && seen?.Member.DownForMs is null)
            {
                return $"node {name} is up: stop it first, or run 'cluster leave' there";
            }

            byte[] tombstone = MemberText.Write(record with { IsRemoved = true });
            (WriteOutcome outcome, _) = await session.WriteAsync(NodesBucket, name, tombstone, entry.Revision).ConfigureAwait(false);
            if (outcome == WriteOutcome.Written)
            {
                return null;
            }
        }

        return $"the record of node {name} changes all the time: try again";
    }

    /// <summary>Makes a node take no new work, or take it again.</summary>
    /// <param name="name">The node.</param>
    /// <param name="isDraining">Whether it is to drain.</param>
    /// <returns>The reason against it; null when it is done.</returns>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public async Task<string?> DrainAsync(string name, bool isDraining)
    {
        for (int i = 0; i < MostWrites; i++)
        {
            EngineEntry entry = await session.ReadAsync(NodesBucket, name).ConfigureAwait(false);
            if (MemberText.Read<MemberRecord>(entry.Value) is not { IsRemoved: false } record)
            {
                return $"no node {name} is in the cluster";
            }

            byte[] text = MemberText.Write(record with { IsDraining = isDraining });
            (WriteOutcome outcome, ulong revision) = record.IsDraining == isDraining ? (WriteOutcome.Written, entry.Revision)
                : await session.WriteAsync(NodesBucket, name, text, entry.Revision).ConfigureAwait(false);
            if (outcome == WriteOutcome.Written)
            {
                Table.OnEntry(new EngineEntry(name, text, revision)); // before the watch tells it
                return null;
            }
        }

        return $"the record of node {name} changes all the time: try again";
    }

    private string AliveSubject => $"cf.{Cluster!.Uuid}.alive";

    /// <summary>The engine is this node's, or nobody's: null. Otherwise the reason against it.</summary>
    private async Task<string?> FindClusterAsync(CancellationToken end)
    {
        ClusterId? own = folder.ReadId();
        for (int i = 0; i < MostWrites; i++)
        {
            EngineEntry entry = await session.ReadAsync(ClusterBucket, IdKey).ConfigureAwait(false);
            if (entry.Value is not null)
            {
                return Take(MemberText.Read<ClusterId>(entry.Value), own);
            }

            if (own is null && i == 0)
            {
                await Task.Delay(NewClusterWait, clock, end).ConfigureAwait(false);
                continue;
            }

            byte[] next = MemberText.Write(own ?? ClusterFolder.NewId());
            await session.WriteAsync(ClusterBucket, IdKey, next, entry.Revision).ConfigureAwait(false); // and read again, whatever came
        }

        return "the engine does not keep the identity of the cluster: look at its disk and its log";
    }

    private string? Take(ClusterId? inEngine, ClusterId? own)
    {
        if (inEngine is null || inEngine.Format != ClusterId.KnownFormat || !Guid.TryParse(inEngine.Uuid, out _))
        {
            return "the engine belongs to a cluster of another release, whose format this node does not know";
        }

        if (own is not null && own.Uuid != inEngine.Uuid)
        {
            return $"the engine belongs to cluster {inEngine.Uuid}, and this node to cluster {own.Uuid}: 'cluster leave' first, or join "
                + "the right engine";
        }

        if (own is null)
        {
            folder.KeepId(inEngine);
        }

        Cluster = inEngine;
        return null;
    }

    private async Task<(EntryOutcome Outcome, string Reason)> ClaimAsync(bool mayTakeOver, CancellationToken end)
    {
        bool hasListened = false;
        for (int i = 0; i < MostWrites; i++)
        {
            EngineEntry entry = await session.ReadAsync(NodesBucket, self.Name).ConfigureAwait(false);
            MemberRecord? known = MemberText.Read<MemberRecord>(entry.Value) is { IsRemoved: false } record ? record : null;
            if (known is not null && known.Uuid != self.Uuid && !hasListened)
            {
                hasListened = true; // for as long as a node that lives may be silent
                await Task.Delay(TimeSpan.FromMilliseconds(NameClaim.AliveMs), clock, end).ConfigureAwait(false);
                continue;
            }

            Member? owner = known is null ? null : new Member(known.Uuid, known.Name) { Incarnation = known.Incarnation };
            Member me = new(self.Uuid, self.Name) { Incarnation = self.Incarnation };
            ClaimOutcome claim = NameClaim.Decide(me, owner, known is null ? null : Table.HeardAgoMs(known.Uuid), mayTakeOver);
            if (claim != ClaimOutcome.Take)
            {
                return Refused(claim, self.Name, known!);
            }

            _isDraining = known?.Uuid == self.Uuid ? known.IsDraining : self.IsDraining;
            byte[] text = MemberText.Write(self with { IsDraining = _isDraining });
            (WriteOutcome outcome, ulong revision) =
                await session.WriteAsync(NodesBucket, self.Name, text, entry.Revision).ConfigureAwait(false);
            if (outcome == WriteOutcome.Written)
            {
                _revision = revision;
                Table.OnEntry(new EngineEntry(self.Name, text, revision)); // before the watch tells it
                return (EntryOutcome.In, "");
            }
        }

        return (EntryOutcome.StaysOut, $"the record of node {self.Name} changes all the time: another node may have this name");
    }

    private static (EntryOutcome Outcome, string Reason) Refused(ClaimOutcome claim, string name, MemberRecord other) => claim switch
    {
        ClaimOutcome.Leave => (EntryOutcome.Left,
            $"a copy of this node runs at {other.Address}, and started after it: this one is out of the cluster until its next start; "
            + "give one of them a state folder of its own"),
        ClaimOutcome.StayOut => (EntryOutcome.StaysOut,
            $"another node with the name {name} is up at {other.Address}: give this one another name, with 'cluster.name' or --name"),
        _ => (EntryOutcome.StaysOut,
            $"another node had the name {name}, at {other.Address}, and is down: 'cluster remove {name}' at a node of the cluster frees "
            + "it, or 'cluster join --take-over' here takes it"),
    };
}
