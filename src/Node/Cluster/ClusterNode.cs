using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>
/// A node as a member of a cluster. Without an engine no task runs, and nothing of the engine's library is loaded. No loop waits for
/// anything here.
/// </summary>
/// <param name="stateFolder">The node's state folder.</param>
/// <param name="settings">The facts that the cluster is told.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterNode(string stateFolder, ClusterSettings settings, ILogger log) : IClusterControl, IAsyncDisposable
{
    /// <summary>How long <c>cluster join</c> waits for the first session: a claim of a name listens for three seconds.</summary>
    private static readonly TimeSpan JoinLimit = TimeSpan.FromSeconds(15);

    private readonly ClusterFolder _folder = new(Path.Combine(stateFolder, "cluster"));
    private readonly SemaphoreSlim _gate = new(1); // one command that changes the membership at a time
    private volatile ClusterSessions? _sessions;   // null = alone
    private (string Uuid, long Incarnation)? _identity; // from the first session of this process on

    /// <inheritdoc/>
    public ClusterAnswer Info => _sessions?.Answer()
        ?? new ClusterAnswer("alone", [], "the node is in no cluster: 'cluster join nats://HOST:PORT' makes it a member");

    /// <summary>The nodes of the cluster as this node saw them last.</summary>
    public MemberView View => _sessions?.View ?? MemberView.Empty;

    /// <summary>Begins to be a member, when the config or an earlier command names an engine. Returns at once.</summary>
    /// <exception cref="NodeException">The folder of the cluster cannot be used.</exception>
    public void Start()
    {
        if (Urls() is { } urls)
        {
            Begin(urls, takesOver: false);
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
            throw new NodeException("the node is in no cluster") { Code = ErrorCodes.BadRequest };
        }

        await EndAsync(isLeaving: true);
        OnDisk(_folder.Forget);
    });

    /// <inheritdoc/>
    public Task<ClusterAnswer> RemoveAsync(string name) => ChangeAsync(async () =>
    {
        ClusterSessions sessions = _sessions ?? throw new NodeException("the node is in no cluster") { Code = ErrorCodes.BadRequest };
        await sessions.RemoveAsync(name);
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync();
        try
        {
            await EndAsync(isLeaving: false);
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
        EngineAccess access = EngineAccess.Of(urls.Split(','), settings.Config);
        ClusterSessions sessions = new(access, _folder, _identity.Value, settings, takesOver, log);
        _sessions = sessions;
        sessions.Start();
        return sessions;
    }

    private async Task EndAsync(bool isLeaving)
    {
        if (_sessions is { } sessions)
        {
            await sessions.EndAsync(isLeaving);
            _sessions = null;
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
