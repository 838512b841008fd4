using Cocaine.Fast.Cluster.Code;
using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Control.Messages;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>
/// A node as a member of a cluster. Without an engine no task runs, and nothing of the engine's library is loaded. No loop waits for
/// anything here.
/// </summary>
/// <param name="stateFolder">The node's state folder.</param>
/// <param name="settings">The facts that the cluster is told.</param>
/// <param name="changed">Called when the apps that this node should run may be others; on any thread, and it returns at once.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterNode(string stateFolder, ClusterSettings settings, Action changed, ILogger log)
    : IClusterControl, IAsyncDisposable
{
    /// <summary>How long <c>cluster join</c> waits for the first session: a claim of a name listens for three seconds.</summary>
    private static readonly TimeSpan JoinLimit = TimeSpan.FromSeconds(15);

    /// <summary>How long a question waits for the words of the nodes; then those that were heard are the answer.</summary>
    private static readonly TimeSpan HearLimit = TimeSpan.FromSeconds(3);

    private readonly ClusterFolder _folder = new(Path.Combine(stateFolder, "cluster"));
    private readonly SemaphoreSlim _gate = new(1); // one command that changes the membership at a time
    private volatile ClusterSessions? _sessions;   // null = alone
    private volatile RecordStore? _records;        // from the first session of this process on; null after leaving
    private readonly StatusBoard _board = new();
    private ClusterAppPages Pages => field ??= new ClusterAppPages(_board, Facts);
    private (string Uuid, long Incarnation)? _identity; // from the first session of this process on

    /// <summary>The leases of the apps of which one node makes jobs.</summary>
    public ClusterLeases Leases => field ??= new ClusterLeases(() => _identity, () => View, log);

    /// <summary>The facts of the cluster's apps.</summary>
    public FactsOfApps Facts { get; } = new();

    /// <summary>The packed code of the cluster's apps.</summary>
    public ClusterCode Code => field ??= new ClusterCode(
        new CodeFolder(Path.Combine(_folder.Path, "code"), settings.Config.MostCodeBytes), () => _records?.All ?? [], log);

    /// <inheritdoc/>
    public ClusterAnswer Info => _sessions?.Answer()
        ?? new ClusterAnswer("alone", [], "the node is in no cluster: 'cluster join nats://HOST:PORT' makes it a member");

    /// <summary>The nodes of the cluster as this node saw them last.</summary>
    public MemberView View => _sessions?.View ?? MemberView.Empty;

    /// <summary>Whether the node belongs to a cluster, attached or not.</summary>
    public bool IsMember => _sessions is not null;

    /// <summary>Whether this node takes no new work.</summary>
    public bool IsDraining => _sessions?.IsDraining == true;

    /// <summary>This node, as the rules of placement see it; null when it belongs to no cluster.</summary>
    public Member? Self => _sessions?.Self;

    /// <summary>The records of the cluster's apps on this node's disk, tombstones too; none when the node belongs to no cluster.</summary>
    public IReadOnlyList<AppRecord> Records => IsMember ? _records?.All ?? [] : [];

    /// <summary>Makes a change for all nodes: in the engine first, and then on this node's disk.</summary>
    /// <param name="app">The app.</param>
    /// <param name="change">The change.</param>
    /// <exception cref="NodeException">The change was refused, or the engine cannot be reached.</exception>
    public async Task ChangeAsync(string app, RecordChange change)
    {
        try
        {
            RecordSync records = _sessions?.Records ?? throw new NodeException(
                $"{_sessions?.Words ?? "the node is in no cluster"}. Nothing was changed; 'app create --local' is for this node only")
            {
                Code = ErrorCodes.ResourceError,
            };
            RecordWrite write = await records.ChangeAsync(app, change, settings.Name, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            if (write.Stage == WriteStage.Refused)
            {
                throw new NodeException(write.Reason!) { Code = write.MayRetry ? ErrorCodes.ResourceError : ErrorCodes.BadRequest };
            }
        }
        catch (EngineException failure)
        {
            throw new NodeException($"{failure.Message}. See whether the change was made when the engine is back", failure)
            {
                Code = ErrorCodes.ResourceError,
            };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the change is in the cluster, but this node cannot keep it: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ClusterAppAnswer>> AppsAsync(string? app)
    {
        ClusterSessions sessions = _sessions ?? throw Alone();
        await Task.WhenAny(_board.HearAsync(), Task.Delay(HearLimit, NodeClock.Instance));
        MemberView view = View;
        List<ClusterAppAnswer> answers = [];
        foreach (AppRecord record in Records.Where(record => !record.IsDeleted && (app is null || record.App == app))
            .OrderBy(record => record.App, StringComparer.Ordinal))
        {
            string? holder = Facts.Of(record).HasLease ? await Leases.HolderOfAsync(record.App) : null;
            answers.Add(Pages.Of(record, view) with { LeaseHolder = holder, IsAttached = sessions.Records is not null });
        }

        return answers.Count > 0 || app is null ? answers
            : throw new NodeException($"no app {app} in the cluster") { Code = ErrorCodes.NotFound };
    }

    /// <inheritdoc/>
    public Task SteerAsync(string app, string action) => ChangeAsync(app, action switch
    {
        "stop" => new RolloutChange.Stop($"stopped at node {settings.Name}"),
        "back" => new RolloutChange.GoBack($"taken back at node {settings.Name}"),
        "go" => new RolloutChange.GoOn(),
        _ => throw new NodeException("rollout has the actions show, stop, back and go") { Code = ErrorCodes.BadRequest },
    });

    /// <summary>
    /// Begins to be a member, when the config or an earlier command names an engine: reads the records of the disk, and returns. A node
    /// whose folder is damaged serves alone, and says so.
    /// </summary>
    public void Start()
    {
        try
        {
            string? urls = Urls();
            Code.Start(isMember: urls is not null);
            if (urls is not null)
            {
                Begin(urls, takesOver: false);
            }
        }
        catch (NodeException failure)
        {
            ClusterLog.StaysOut(log, failure.Message);
        }
    }

    /// <inheritdoc/>
    public Task<ClusterAnswer> JoinAsync(string? engine, bool takesOver) => ChangeAsync(async () =>
    {
        string? urls = Urls();
        if (engine is not null)
        {
            if ((EngineAddress.Mistake(engine) ?? EngineAddress.Danger(engine, settings.Config)) is { } problem)
            {
                throw new NodeException(problem) { Code = ErrorCodes.BadRequest };
            }

            if (urls is not null && !urls.Split(',').Contains(engine))
            {
                string where = settings.Config.Engine.Count > 0 ? "the config names its engine" : "'cluster leave' first";
                throw new NodeException($"the node belongs to the cluster at {urls} already: {where}") { Code = ErrorCodes.BadRequest };
            }
        }

        urls ??= engine ?? throw new NodeException("no engine is known: cluster join nats://HOST:PORT") { Code = ErrorCodes.BadRequest };
        await EndAsync(isLeaving: false);
        if (settings.Config.Engine.Count == 0)
        {
            OnDisk(() => _folder.KeepEngine(urls));
        }

        ClusterSessions sessions = Begin(urls, takesOver);
        await Task.WhenAny(sessions.Settled, Task.Delay(JoinLimit, NodeClock.Instance));
    });

    /// <inheritdoc/>
    public Task<ClusterAnswer> LeaveAsync() => ChangeAsync(async () =>
    {
        if (_sessions is null)
        {
            throw Alone();
        }

        await EndAsync(isLeaving: true);
        OnDisk(_folder.Forget);
        OnDisk(() => _records?.ForgetAll());
        _records = null;
        changed();
    });

    /// <inheritdoc/>
    public Task<ClusterAnswer> RemoveAsync(string name) => ChangeAsync(async () =>
    {
        ClusterSessions sessions = _sessions ?? throw Alone();
        await sessions.RemoveAsync(name);
    });

    /// <inheritdoc/>
    public Task<ClusterAnswer> DrainAsync(string name, bool isDraining) => ChangeAsync(async () =>
    {
        ClusterSessions sessions = _sessions ?? throw Alone();
        await sessions.DrainAsync(name, isDraining);
        ClusterLog.Drains(log, name, isDraining ? "drains: it takes no new work" : "takes work again");
    });

    /// <inheritdoc/>
    public Task<long> TakeCodeAsync(CodeRequest request) => IsMember ? Code.TakeAsync(request)
        : throw new NodeException("--pack sends code to the nodes of a cluster, and this node belongs to none")
        {
            Code = ErrorCodes.BadRequest,
        };

    /// <inheritdoc/>
    public Task<string> FindCodeAsync(PackedCode code) => Code.FindAsync(code);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync();
        try
        {
            await EndAsync(isLeaving: false);
            await (settings.Peers?.CloseAsync() ?? Task.CompletedTask);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<ClusterAnswer> ChangeAsync(Func<Task> change)
    {
        await _gate.WaitAsync();
        try
        {
            await change();
            return Info;
        }
        finally
        {
            _gate.Release();
        }
    }

    private ClusterSessions Begin(string urls, bool takesOver)
    {
        _identity ??= OnDisk(() => _folder.TakeIdentity(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        RecordStore records = _records ??= OnDisk(() => new RecordStore(_folder.Path, file => ClusterLog.BrokenRecord(log, file)));
        EngineAccess access = EngineAccess.Of(urls.Split(','), settings.Config);
        ClusterSessions sessions = new(access, new ClusterDisk(_folder, records), _identity.Value, settings, takesOver, log)
        {
            Changed = changed,
            Leases = Leases,
            Board = _board,
            Rollouts = new ClusterRollouts(records, _board, Facts, () => Leases.Coordinator, log),
            Code = Code,
        };
        _sessions = sessions;
        sessions.Start();
        return sessions;
    }

    private static NodeException Alone() => new("the node is in no cluster") { Code = ErrorCodes.BadRequest };

    private async Task EndAsync(bool isLeaving)
    {
        if (_sessions is { } sessions)
        {
            await sessions.EndAsync(isLeaving);
            _sessions = null;
            if (isLeaving)
            {
                settings.Members(null);
                await (settings.Peers?.CloseAsync() ?? Task.CompletedTask);
            }
        }
    }

    /// <summary>The addresses of the engine, with commas between them: the config's, or those of an earlier command; null = none.</summary>
    private string? Urls() => settings.Config.Engine.Count > 0 ? string.Join(',', settings.Config.Engine) : OnDisk(_folder.ReadEngine);

    private void OnDisk(Action work) => OnDisk(() =>
    {
        work();
        return true;
    });

    private T OnDisk<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the folder of the cluster, {_folder.Path}: {failure.Message}", failure);
        }
    }
}
