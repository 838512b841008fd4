using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cocaine.Fast.Client;
using Cocaine.Fast.Cluster.Code;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control.Messages;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Metrics;
using Cocaine.Fast.Node.Quarantine;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// Controls a node over its control endpoint. When the node refuses, a method throws a <see cref="CocaineException"/> with the code and the
/// text for the user; the mistakes of a manifest are one text with a line for each.
/// </summary>
public sealed class NodeControlClient : IAsyncDisposable
{
    /// <summary>The default endpoint of a daemon.</summary>
    public const string DefaultEndpoint = "ipc:///run/cocaine-fast/control.sock";

    private const uint Root = 0;

    private readonly CocaineClient _client;
    private volatile bool _saysProtocol; // the node takes the key; known once its version is known

    private NodeControlClient(CocaineClient client) => _client = client;

    /// <summary>Connects.</summary>
    /// <exception cref="ConnectionLostException">Nobody listens there.</exception>
    /// <exception cref="FormatException">The endpoint cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">
    /// The listener belongs to a user other than root and this one: it may be any program.
    /// </exception>
    public static Task<NodeControlClient> ConnectAsync(string endpoint, CancellationToken cancellation = default) =>
        ConnectAsync(endpoint, null, cancellation);

    /// <summary>Connects, also to <c>control.tcp</c> of a node: <c>tls://HOST:PORT</c>.</summary>
    /// <param name="endpoint"><c>ipc:///path</c> or <c>tls://HOST:PORT</c>.</param>
    /// <param name="tls">The caller's certificate and the authorities of the node's; null for a Unix socket.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ConnectionLostException">Nobody listens there, or a check of TLS has failed.</exception>
    /// <exception cref="FormatException">The endpoint, a setting or a file of TLS cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">
    /// The listener belongs to a user other than root and this one: it may be any program.
    /// </exception>
    public static async Task<NodeControlClient> ConnectAsync(string endpoint, ClientTls? tls, CancellationToken cancellation)
    {
        ClientOptions options = new() { Tls = tls };
        CocaineClient client = await CocaineClient.ConnectAsync(endpoint, options, cancellation).ConfigureAwait(false);
        uint self = PeerCredentials.OwnUser;
        if (self != Root && PeerCredentials.TryRead(client.Connection.Descriptor, out _, out uint user) && user != Root && user != self)
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw new UnauthorizedAccessException(
                $"a program of user {user} listens at {endpoint}: it is no node of yours or of root's, and is told nothing");
        }

        return new NodeControlClient(client);
    }

    /// <summary>Starts an app; returns once its endpoints listen.</summary>
    public Task<AppSummary> CreateAsync(ManifestText manifest, CancellationToken cancellation = default) =>
        CallAsync<AppSummary>("create", RequestOf(manifest), cancellation);

    /// <summary>
    /// Starts an app. Returns once its first slave is ready, or with an <see cref="AppSummary.Reason"/> when no slave is ready within the
    /// startup-timeout or the app is broken before. In that case the app stays and keeps trying.
    /// </summary>
    public Task<AppSummary> CreateReadyAsync(ManifestText manifest, CancellationToken cancellation = default) =>
        CallAsync<AppSummary>("create", RequestOf(manifest) with { Wait = true }, cancellation);

    /// <summary>Starts an app, with all options: for this node alone, or for its cluster.</summary>
    internal Task<AppSummary> CreateAsync(ManifestText manifest, bool waits, bool isLocal, CancellationToken cancellation) =>
        CallAsync<AppSummary>("create", RequestOf(manifest) with { Wait = waits, Local = isLocal }, cancellation);

    /// <summary>
    /// Replaces the running version of an app. Returns when new jobs go to the new version, or when the new version did not come up.
    /// <see cref="ReplaceOutcome.Drained"/> of the result is completed: see <c>older</c> in the app's info for jobs that are being
    /// finished.
    /// </summary>
    public async Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force = false, CancellationToken cancellation = default)
    {
        ManifestRequest request = RequestOf(manifest) with { Force = force };
        ReplaceAnswer answer = await CallAsync<ReplaceAnswer>("replace", request, cancellation).ConfigureAwait(false);
        return new ReplaceOutcome(
            answer.App, answer.FromVersion, answer.ToVersion, answer.Replaced, answer.Reason, Task.CompletedTask)
        {
            IsRollout = answer.Rollout,
        };
    }

    /// <summary>
    /// Replaces an app by itself, so that its code is loaded anew, without losing a job. Returns like <see cref="ReplaceAsync"/>.
    /// </summary>
    public async Task<ReplaceOutcome> RestartAsync(string app, CancellationToken cancellation = default)
    {
        RestartAnswer answer = await CallAsync<RestartAnswer>("restart", new AppRequest(app), cancellation).ConfigureAwait(false);
        return new ReplaceOutcome(answer.App, answer.Version, answer.Version, answer.Restarted, answer.Reason, Task.CompletedTask)
        {
            Note = answer.Note,
        };
    }

    /// <summary>The release and protocol of the node. A node from before control protocol 2 reports no release.</summary>
    public async Task<NodeVersion> VersionAsync(CancellationToken cancellation = default)
    {
        try
        {
            NodeVersion version = await CallAsync<NodeVersion>("version", new EmptyRequest(), cancellation).ConfigureAwait(false);
            _saysProtocol = true;
            return version;
        }
        catch (CocaineException refusal) when (refusal.Code == ErrorCodes.NotFound)
        {
            return new NodeVersion(1, null);
        }
    }

    /// <summary>Ends an app: it finishes its jobs, at most for this time. Returns when the app is gone.</summary>
    public Task DeleteAsync(string app, TimeSpan drainTimeout, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("delete", new DeleteRequest(app, drainTimeout.TotalSeconds), cancellation);

    /// <summary>Makes the app take no new jobs until it is resumed.</summary>
    public Task PauseAsync(string app, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("pause", new AppRequest(app), cancellation);

    /// <summary>Makes the app take jobs again.</summary>
    public Task ResumeAsync(string app, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("resume", new AppRequest(app), cancellation);

    /// <summary>Sets the bounds of an app's pool until the app is replaced or started anew; null leaves a bound as it is.</summary>
    public Task ScaleAsync(string app, int? minimum, int? limit, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("scale", new ScaleRequest(app, minimum, limit), cancellation);

    /// <summary>The apps of the node.</summary>
    public async Task<IReadOnlyList<AppSummary>> ListAsync(CancellationToken cancellation = default) =>
        await CallAsync<AppSummary[]>("list", new ListRequest(), cancellation).ConfigureAwait(false);

    /// <summary>The state of an app as one JSON object, or of the node when the name is null.</summary>
    public async Task<string> InfoJsonAsync(string? app, CancellationToken cancellation = default) =>
        System.Text.Encoding.UTF8.GetString(await CallAsync("info", new InfoRequest(app), cancellation).ConfigureAwait(false));

    /// <summary>The metrics of the node and its apps, in the text format 0.0.4 of Prometheus.</summary>
    public async Task<string> MetricsAsync(CancellationToken cancellation = default) =>
        System.Text.Encoding.UTF8.GetString(await CallAsync("metrics", new EmptyRequest(), cancellation).ConfigureAwait(false));

    /// <summary>The figures of the node and its apps.</summary>
    /// <param name="since">The number of an earlier answer, for counts since then; 0 = counts since the apps began.</param>
    /// <param name="cancellation">Gives up.</param>
    internal Task<StatsAnswer> StatsAsync(int since = 0, CancellationToken cancellation = default) =>
        CallAsync<StatsAnswer>("stats", new StatsRequest(since), cancellation);

    /// <summary>The last lines that the app's workers wrote, and with <paramref name="follow"/> new lines until the app is gone.</summary>
    public IAsyncEnumerable<LogLine> LogsAsync(string app, bool follow = false, CancellationToken cancellation = default) =>
        StreamAsync<LogLine>("logs", new LogsRequest(app, follow), cancellation);

    /// <summary>The last events of one app or of all, and with <paramref name="follow"/> new events.</summary>
    public IAsyncEnumerable<NodeEvent> EventsAsync(string? app = null, bool follow = false, CancellationToken cancellation = default) =>
        StreamAsync<NodeEvent>("events", new EventsRequest(app, follow), cancellation);

    /// <summary>The node's place in its cluster, and the nodes of the cluster.</summary>
    internal Task<ClusterAnswer> ClusterAsync(CancellationToken cancellation = default) =>
        CallAsync<ClusterAnswer>("cluster", new ClusterRequest("info"), cancellation);

    /// <summary>Makes the node a member of a cluster: see <see cref="IClusterControl.JoinAsync"/>.</summary>
    internal Task<ClusterAnswer> JoinClusterAsync(string? engine, bool takeOver = false, CancellationToken cancellation = default) =>
        CallAsync<ClusterAnswer>("cluster", new ClusterRequest("join", engine, takeOver), cancellation);

    /// <summary>Makes the node belong to no cluster.</summary>
    internal Task<ClusterAnswer> LeaveClusterAsync(CancellationToken cancellation = default) =>
        CallAsync<ClusterAnswer>("cluster", new ClusterRequest("leave"), cancellation);

    /// <summary>Makes a node take no new work, or take it again: see <see cref="IClusterControl.DrainAsync"/>.</summary>
    internal Task<ClusterAnswer> DrainAsync(string node, bool isDraining, CancellationToken cancellation = default) =>
        CallAsync<ClusterAnswer>("cluster", new ClusterRequest(isDraining ? "drain" : "undrain", Node: node), cancellation);

    /// <summary>Takes another node, which is down, out of the cluster.</summary>
    internal Task<ClusterAnswer> RemoveFromClusterAsync(string node, CancellationToken cancellation = default) =>
        CallAsync<ClusterAnswer>("cluster", new ClusterRequest("remove", Node: node), cancellation);

    /// <summary>The apps of the cluster on all nodes, or one of them.</summary>
    internal async Task<IReadOnlyList<ClusterAppAnswer>> ClusterAppsAsync(string? app, CancellationToken cancellation = default) =>
        app is null ? await CallAsync<ClusterAppAnswer[]>("list", new ListRequest(Cluster: true), cancellation).ConfigureAwait(false)
            : await CallAsync<ClusterAppAnswer[]>("info", new InfoRequest(app, Cluster: true), cancellation).ConfigureAwait(false);

    /// <summary>An app of the cluster on all nodes, after an action on its rollout: see <see cref="IClusterControl.SteerAsync"/>.</summary>
    internal Task<ClusterAppAnswer> RolloutAsync(string app, string action = "show", CancellationToken cancellation = default) =>
        CallAsync<ClusterAppAnswer>("rollout", new RolloutRequest(app, action), cancellation);

    /// <summary>Makes an app of this node alone the cluster's: see <see cref="IClusterApps.PublishAsync"/>.</summary>
    internal Task<AppSummary> PublishAsync(string app, bool force, CancellationToken cancellation = default) =>
        CallAsync<AppSummary>("publish", new PublishRequest(app, force), cancellation);

    /// <summary>Sends packed code to the cluster of the node; bytes that are there already are not sent again.</summary>
    /// <param name="name">The SHA-256 of the archive, in hexadecimal.</param>
    /// <param name="archive">The archive.</param>
    /// <param name="cancellation">Gives up.</param>
    internal async Task SendCodeAsync(string name, Stream archive, CancellationToken cancellation)
    {
        byte[] portion = new byte[CodeLimits.PortionBytes];
        CodeRequest ask = new(name, (int)Math.Min(archive.Length, int.MaxValue));
        CodeAnswer answer = await CallAsync<CodeAnswer>("code", ask, cancellation).ConfigureAwait(false);
        while (answer.Next < archive.Length)
        {
            long before = archive.Position = answer.Next;
            int count = await archive.ReadAtLeastAsync(portion, portion.Length, throwOnEndOfStream: false, cancellation)
                .ConfigureAwait(false);
            string data = Convert.ToBase64String(portion, 0, count);
            answer = await CallAsync<CodeAnswer>("code", ask with { At = (int)before, Data = data }, cancellation).ConfigureAwait(false);
            if (answer.Next == before)
            {
                throw new CocaineException(ErrorCodes.Category, ErrorCodes.ServerError, "the node does not take the code");
            }
        }
    }

    /// <summary>The jobs in quarantine, of one app or of all.</summary>
    public async Task<IReadOnlyList<QuarantineEntry>> QuarantineListAsync(string? app, CancellationToken cancellation = default) =>
        await CallAsync<QuarantineEntry[]>("quarantine", new QuarantineRequest("list", app), cancellation).ConfigureAwait(false);

    /// <summary>Everything that is kept of a job, as one JSON object.</summary>
    public async Task<string> QuarantineShowAsync(string app, string id, CancellationToken cancellation = default) =>
        System.Text.Encoding.UTF8.GetString(
            await CallAsync("quarantine", new QuarantineRequest("show", app, id), cancellation).ConfigureAwait(false));

    /// <summary>Runs a job of the quarantine again.</summary>
    public Task QuarantineReplayAsync(string app, string id, CancellationToken cancellation = default) =>
        CallAsync("quarantine", new QuarantineRequest("replay", app, id), cancellation);

    /// <summary>Forgets a job of the quarantine.</summary>
    public Task QuarantineDropAsync(string app, string id, CancellationToken cancellation = default) =>
        CallAsync("quarantine", new QuarantineRequest("drop", app, id), cancellation);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private static ManifestRequest RequestOf(ManifestText manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        string text = System.Text.Encoding.UTF8.GetString(manifest.Utf8.Span);
        return manifest.Code is { } code ? new ManifestRequest(text, code.Path, Code: code.Name)
            : new ManifestRequest(text, Path.GetFullPath(manifest.FilePath));
    }

    private async Task<T> CallAsync<T>(string method, object request, CancellationToken cancellation) =>
        Read<T>(method, await CallAsync(method, request, cancellation).ConfigureAwait(false));

    private Task<byte[]> CallAsync(string method, object request, CancellationToken cancellation) =>
        _client.CallAsync(method, Encode(request), default(CallOptions), cancellation);

    private async IAsyncEnumerable<T> StreamAsync<T>(
        string method, object request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using ClientCall call = _client.Open(method, default, cancellation);
        await call.WriteAsync(Encode(request)).ConfigureAwait(false);
        await call.CompleteAsync().ConfigureAwait(false);
        while (await call.ReadAsync().ConfigureAwait(false) is { } chunk)
        {
            yield return Read<T>(method, chunk.Span);
        }
    }

    /// <summary>Encodes a request with this client's protocol, so that an older node can say which key it does not know.</summary>
    private byte[] Encode(object request)
    {
        JsonNode json = JsonSerializer.SerializeToNode(request, request.GetType(), ControlMessages.Json)!;
        if (_saysProtocol)
        {
            json[ControlMessages.ProtocolKey] = ControlMessages.Protocol;
        }

        return JsonSerializer.SerializeToUtf8Bytes(json, ControlMessages.Json);
    }

    private static T Read<T>(string method, ReadOnlySpan<byte> answer)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(answer, ControlMessages.Json) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new CocaineException(
                ErrorCodes.Category, ErrorCodes.ServerError,
                $"the node's answer to {method} cannot be read: the node is of another version");
        }
    }
}
