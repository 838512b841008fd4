using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Locator;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>
/// The sessions of a node with one engine, one after the other: each ends at its first fault, and the next one begins after a pause. One
/// task on the node's own threads.
/// </summary>
/// <param name="access">The way to the engine.</param>
/// <param name="disk">The node's memory of its cluster.</param>
/// <param name="identity">The node, and its present start.</param>
/// <param name="settings">The facts that the cluster is told.</param>
/// <param name="takesOver">Whether the node may take its name from a node that is down.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterSessions(
    EngineAccess access, ClusterDisk disk, (string Uuid, long Incarnation) identity, ClusterSettings settings, bool takesOver,
    ILogger log)
{
    /// <summary>The pauses before another session: short for an engine that restarts, longer for one that is gone, each ± 50 %.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5), LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>How long the end of the sessions may hold up the node: an engine that stands does not answer a goodbye.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _end = new(); // without a timer or a handle, and so never disposed of
    private readonly TaskCompletionSource _settled = new();
    private readonly SessionState _state = new(log);
    private volatile Membership? _membership; // while attached
    private volatile bool _isLeaving;
    private volatile RecordSync? _records; // while attached
    private volatile MemberView _view = MemberView.LastSeen(disk.Folder.ReadMembers());
    private Task _run = Task.CompletedTask;

    /// <summary>Done when the first session is made, or failed.</summary>
    public Task Settled => _settled.Task;

    /// <summary>The nodes of the cluster, as this node saw them last.</summary>
    public MemberView View => _view;

    /// <summary>The records in the engine; null when the node is not attached.</summary>
    public RecordSync? Records => _records;

    /// <summary>Whether this node takes no new work.</summary>
    public bool IsDraining => _view.Nodes.FirstOrDefault(node => node.Record.Uuid == identity.Uuid)?.Member.IsDraining == true;

    /// <summary>Called when the records on the disk or the view have changed.</summary>
    public required Action Changed { get; init; }

    /// <summary>The packed code of the apps.</summary>
    public required ClusterCode Code { get; init; }

    /// <summary>The leases of the apps of which one node makes jobs, and of the coordinator.</summary>
    public required ClusterLeases Leases { get; init; }

    /// <summary>The words of the nodes about the apps.</summary>
    public required StatusBoard Board { get; init; }

    /// <summary>Moves other versions over the nodes.</summary>
    public required ClusterRollouts Rollouts { get; init; }

    /// <summary>The reason why nothing of the cluster can be changed now.</summary>
    public string Words => _state.Words;

    /// <summary>This node, as the rules of placement see it.</summary>
    public Member Self => new(identity.Uuid, settings.Name) { Incarnation = identity.Incarnation, Labels = settings.Config.Labels };

    /// <summary>Begins; returns at once.</summary>
    public void Start()
    {
        settings.Peers?.Start(disk.Folder, identity, settings.Name, _view); // also without the engine
        settings.Members(MembersOf(_view));
        _run = NodeThreads.Run(RunAsync);
    }

    /// <summary>Ends the session, and tells the other nodes. With <paramref name="isLeaving"/> the node's record goes too.</summary>
    public async Task EndAsync(bool isLeaving)
    {
        _isLeaving = isLeaving;
        _end.Cancel(); // not CancelAsync, which goes to the thread pool
        await Task.WhenAny(_run, Task.Delay(EndLimit, NodeClock.Instance));
    }

    /// <inheritdoc cref="IClusterControl.RemoveAsync"/>
    public Task RemoveAsync(string name) => ChangeAsync(membership => membership.RemoveAsync(name, isSelf: false));

    /// <inheritdoc cref="IClusterControl.DrainAsync"/>
    public async Task DrainAsync(string name, bool isDraining)
    {
        await ChangeAsync(membership => membership.DrainAsync(name, isDraining));
        if (_membership?.Table.View() is { } view)
        {
            _view = view; // with the change; what it means for this node comes with the next sign of life
        }
    }

    private async Task ChangeAsync(Func<Membership, Task<string?>> change)
    {
        try
        {
            string? reason = _membership is { } membership ? await change(membership)
                : throw new NodeException($"nothing was changed: {_state.Words}") { Code = ErrorCodes.ResourceError };
            if (reason is not null)
            {
                throw new NodeException(reason) { Code = ErrorCodes.BadRequest };
            }
        }
        catch (EngineException failure)
        {
            throw new NodeException(failure.Message, failure) { Code = ErrorCodes.ResourceError };
        }
    }

    /// <summary>The answer for commands.</summary>
    public ClusterAnswer Answer()
    {
        (ClusterPhase phase, string? reason, string? cluster) = _state.Now;
        return new ClusterAnswer(
            phase.ToString().ToLowerInvariant(), [.. _view.Nodes.Select(Shown)], reason, settings.Name, cluster, access.Urls);
    }

    private static ClusterMember Shown(SeenMember node) => new(
        node.Record.Name, node.Record.Uuid, node.State, node.Record.Address, node.Record.Locator,
        node.Record.Version, node.Record.Labels, node.Member.DownForMs / 1000.0, node.Apps)
    {
        Slots = node.Load?.Slots,
        Running = node.Load?.Running,
        Queued = node.Load?.Queued,
        ForwardedOut = node.Load?.ForwardedOut,
        ForwardedIn = node.Load?.ForwardedIn,
    };

    private async Task RunAsync()
    {
        TimeSpan pause = FirstPause;
        while (!_end.IsCancellationRequested && _state.Now.Phase != ClusterPhase.Left)
        {
            bool wasIn = await RunSessionAsync();
            _settled.TrySetResult();
            pause = wasIn ? FirstPause : _state.Now.Phase == ClusterPhase.Out ? LongestPause : pause;
            try
            {
                await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), NodeClock.Instance, _end.Token);
            }
            catch (OperationCanceledException)
            {
                break; // the usual end
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        _settled.TrySetResult();
    }

    /// <summary>Runs a session from its start to its first fault; true when the node was a member in it.</summary>
    private async Task<bool> RunSessionAsync()
    {
        bool wasIn = false;
        try
        {
            await using NatsSession session = await NatsSession.OpenAsync(
                access, settings.Name, Membership.ClusterBucket, Membership.NodesBucket, RecordSync.AppsBucket,
                LeaseKeeper.Bucket, StatusBoard.Bucket);
            Membership membership = new(session, OwnRecord(), disk.Folder, NodeClock.Instance);
            (EntryOutcome outcome, string reason) = await membership.EnterAsync(takesOver, _end.Token);
            if (outcome != EntryOutcome.In)
            {
                _state.MoveTo(outcome == EntryOutcome.Left ? ClusterPhase.Left : ClusterPhase.Out, reason, membership.Cluster?.Uuid);
                return false;
            }

            wasIn = true;
            settings.Peers?.Open(membership.Cluster!, identity, settings.Name);
            _membership = membership;
            await Code.AttachAsync(session); // before the records, whose apps need it
            RecordMerging merging = new(session, disk.Records, Changed, log);
            await merging.BeginAsync();
            _records = merging.Records;
            Task merges = NodeThreads.Run(merging.RunAsync);
            Leases.Attach(session);
            Board.Attach(session);
            Task rollouts = NodeThreads.Run(() => Rollouts.RunAsync(session, merging.Records, () => _view, settings.Name, Changed));
            await BeatAsync(session, membership);
            await session.DisposeAsync(); // ends the merges and the rollouts
            await merges;
            await rollouts;
        }
        catch (EngineException failure)
        {
            _state.MoveTo(ClusterPhase.Detached, failure.Message, null);
        }
        catch (TimeoutException)
        {
            _state.MoveTo(ClusterPhase.Detached, "the cluster's engine did not tell what it has in time", null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _state.MoveTo(ClusterPhase.Out, failure.Message, null);
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // the usual end
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            ClusterLog.Fault(log, fault);
            _state.MoveTo(ClusterPhase.Detached, "it failed in a way that nobody expected: the node's log has the cause", null);
        }
        finally
        {
            _membership = null;
            _records = null;
            Board.Detach();
            Code.Detach();
            await Leases.DetachAsync(); // the session has ended by now
        }

        return wasIn;
    }

    /// <summary>Gives signs of life and makes views until the session, the membership or the node ends.</summary>
    private async Task BeatAsync(NatsSession session, Membership membership)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(MemberTable.BeatMs), NodeClock.Instance);
        Heartbeat beat = Beat();
        StatusTeller teller = new(session, identity.Uuid, NodeClock.Instance);
        await membership.BeatAsync(beat);
        See(membership.Table.View());
        _state.MoveTo(ClusterPhase.Attached, null, membership.Cluster!.Uuid);
        ClusterLog.Attached(log, settings.Name, membership.Cluster.Uuid, access.Urls, _view.Nodes.Count);
        _settled.TrySetResult();
        while (!session.Ended.IsCompleted && !membership.IsDisplaced && membership.IsHeard)
        {
            try
            {
                Task tick = timer.WaitForNextTickAsync(_end.Token).AsTask();
                if (await Task.WhenAny(tick, session.Ended) != tick)
                {
                    break;
                }

                await tick;
            }
            catch (OperationCanceledException)
            {
                await SayGoodbyeAsync(membership, beat);
                throw;
            }

            await membership.BeatAsync(Beat());
            await membership.TellAsync(settings.Ready());
            await teller.TellAsync(settings.Words().Select(word => (word.App, word.Status, word.IsRolling)));
            See(membership.Table.View());
            Leases.Update(IsDraining ? [] : settings.Leased(), mayCoordinate: !IsDraining);
        }

        _state.MoveTo(
            ClusterPhase.Detached,
            session.Ended.IsCompleted ? await session.Ended
                : membership.IsDisplaced ? "the node's record was changed by another one: it enters again"
                : "the cluster's engine passes nothing on", null);
    }

    private Heartbeat Beat() => new(identity.Uuid, identity.Incarnation, settings.Apps().Count)
    {
        OfCluster = settings.Apps().Count(app => app.Manifest.IsOfCluster),
        Load = settings.Load(),
    };

    private async Task SayGoodbyeAsync(Membership membership, Heartbeat beat)
    {
        await membership.SayStopsAsync(); // first: from here on nobody sends work
        await Leases.GiveUpAsync();
        await membership.BeatAsync(beat with { IsLast = true });
        if (_isLeaving)
        {
            await membership.RemoveAsync(settings.Name, isSelf: true);
        }
    }

    private void See(MemberView next)
    {
        Dictionary<string, bool> before = _view.Nodes.ToDictionary(node => node.Record.Name, node => node.Member.DownForMs is null);
        foreach (SeenMember node in next.Nodes.Where(node => node.Record.Uuid != identity.Uuid))
        {
            bool isUp = node.Member.DownForMs is null;
            bool wasUp = before.Remove(node.Record.Name, out bool was) && was;
            if (isUp && !wasUp)
            {
                ClusterLog.NodeUp(log, node.Record.Name);
            }
            else if (!isUp && wasUp)
            {
                ClusterLog.NodeDown(log, node.Record.Name);
            }
        }

        MemberRecord[] records = [.. next.Nodes.Select(node => node.Record)];
        if (!records.SequenceEqual(_view.Nodes.Select(node => node.Record))) // the same objects, unless something was told
        {
            try
            {
                disk.Folder.KeepMembers(records);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                ClusterLog.RecordsFailed(log, failure.Message);
            }
        }

        _view = next;
        settings.Peers?.See(next, IsDraining);
        settings.Members(MembersOf(next));
        Changed();
    }

    /// <summary>The nodes that take work, for the locator.</summary>
    private LocatorMembers MembersOf(MemberView view)
    {
        IEnumerable<MemberRecord> others = view.Nodes.Where(node => node.Member.IsInWork && node.Record.Uuid != identity.Uuid)
            .Select(node => node.Record);
        return new LocatorMembers(
            identity.Uuid, [.. others.Select(record => LocatorMember.Of(record, OwnMachine.Name)).OfType<LocatorMember>()],
            [.. settings.Ready().Select(place => place.App)], IsDraining);
    }

    private MemberRecord OwnRecord() => new(identity.Uuid, settings.Name, identity.Incarnation)
    {
        Address = settings.Config.Advertise ?? access.LocalAddress() ?? "",
        Machine = OwnMachine.Name,
        PeerPort = settings.Peers?.Bind() ?? 0,
        Locator = settings.Locator(),
        Labels = settings.Config.Labels,
        Version = ProductVersion.Text,
        IsDraining = IsDraining, // by the last view: an engine that is empty does not know
    };
}
