using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control.Messages;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Quarantine;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// Controls a node over its control endpoint. A refusal of the node comes as a <see cref="CocaineException"/> with the code and the text
/// that a user should see; a manifest's mistakes are one text, a line each.
/// </summary>
public sealed class NodeControlClient : IAsyncDisposable
{
    /// <summary>Where a daemon listens when nothing else is said.</summary>
    public const string DefaultEndpoint = "ipc:///run/cocaine-fast/control.sock";

    private const uint Root = 0;

    private readonly CocaineClient _client;
    private volatile bool _saysProtocol; // the node takes the key; known once its version is

    private NodeControlClient(CocaineClient client) => _client = client;

    /// <summary>Connects.</summary>
    /// <exception cref="ConnectionLostException">Nobody listens there.</exception>
    /// <exception cref="FormatException">The endpoint cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Another user than root and this one listens there: it may be anything.</exception>
    public static async Task<NodeControlClient> ConnectAsync(string endpoint, CancellationToken cancellation = default)
    {
        CocaineClient client = await CocaineClient.ConnectAsync(endpoint, null, cancellation).ConfigureAwait(false);
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
    /// Starts an app; returns once its first slave is ready, or with an <see cref="AppSummary.Reason"/> when none is within the
    /// startup-timeout or the app is broken before. The app is there and goes on trying then.
    /// </summary>
    public Task<AppSummary> CreateReadyAsync(ManifestText manifest, CancellationToken cancellation = default) =>
        CallAsync<AppSummary>("create", RequestOf(manifest) with { Wait = true }, cancellation);

    /// <summary>
    /// Replaces the running version of an app. Returns when new jobs go to the new version, or when it did not come up.
    /// <see cref="ReplaceOutcome.Drained"/> of what is returned is completed: see <c>older</c> in the app's info for jobs that finish.
    /// </summary>
    public async Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force = false, CancellationToken cancellation = default)
    {
        ManifestRequest request = RequestOf(manifest) with { Force = force };
        ReplaceAnswer answer = await CallAsync<ReplaceAnswer>("replace", request, cancellation).ConfigureAwait(false);
        return new ReplaceOutcome(
            answer.App, answer.FromVersion, answer.ToVersion, answer.Replaced, answer.Reason, Task.CompletedTask);
    }

    /// <summary>
    /// Replaces an app by itself, so that its code is loaded anew, without losing a job. Returns as <see cref="ReplaceAsync"/> does.
    /// </summary>
    public async Task<ReplaceOutcome> RestartAsync(string app, CancellationToken cancellation = default)
    {
        RestartAnswer answer = await CallAsync<RestartAnswer>("restart", new AppRequest(app), cancellation).ConfigureAwait(false);
        return new ReplaceOutcome(answer.App, answer.Version, answer.Version, answer.Restarted, answer.Reason, Task.CompletedTask)
        {
            Note = answer.Note,
        };
    }

    /// <summary>The release and protocol of the node. A node from before control protocol 2 has no release.</summary>
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

    /// <summary>Ends an app: it finishes its jobs, for so long at the most. Returns when it is gone.</summary>
    public Task DeleteAsync(string app, TimeSpan drainTimeout, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("delete", new DeleteRequest(app, drainTimeout.TotalSeconds), cancellation);

    /// <summary>The app takes no new jobs until it is resumed.</summary>
    public Task PauseAsync(string app, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("pause", new AppRequest(app), cancellation);

    /// <summary>The app takes jobs again.</summary>
    public Task ResumeAsync(string app, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("resume", new AppRequest(app), cancellation);

    /// <summary>Sets the bounds of an app's pool until it is replaced or started anew; null leaves one as it is.</summary>
    public Task ScaleAsync(string app, int? minimum, int? limit, CancellationToken cancellation = default) =>
        CallAsync<DoneAnswer>("scale", new ScaleRequest(app, minimum, limit), cancellation);

    /// <summary>The apps of the node.</summary>
    public async Task<IReadOnlyList<AppSummary>> ListAsync(CancellationToken cancellation = default) =>
        await CallAsync<AppSummary[]>("list", new EmptyRequest(), cancellation).ConfigureAwait(false);

    /// <summary>All about an app as one JSON object, or about the node when it is null.</summary>
    public async Task<string> InfoJsonAsync(string? app, CancellationToken cancellation = default) =>
        System.Text.Encoding.UTF8.GetString(await CallAsync("info", new InfoRequest(app), cancellation).ConfigureAwait(false));

    /// <summary>
    /// The last lines that the app's workers wrote, and with <paramref name="follow"/> those that come, until the app is gone.
    /// </summary>
    public IAsyncEnumerable<LogLine> LogsAsync(string app, bool follow = false, CancellationToken cancellation = default) =>
        StreamAsync<LogLine>("logs", new LogsRequest(app, follow), cancellation);

    /// <summary>The last events of an app or of all, and with <paramref name="follow"/> those that come.</summary>
    public IAsyncEnumerable<NodeEvent> EventsAsync(string? app = null, bool follow = false, CancellationToken cancellation = default) =>
        StreamAsync<NodeEvent>("events", new EventsRequest(app, follow), cancellation);

    /// <summary>The jobs in quarantine, of an app or of all.</summary>
    public async Task<IReadOnlyList<QuarantineEntry>> QuarantineListAsync(string? app, CancellationToken cancellation = default) =>
        await CallAsync<QuarantineEntry[]>("quarantine", new QuarantineRequest("list", app), cancellation).ConfigureAwait(false);

    /// <summary>All that is kept of a job, as one JSON object.</summary>
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
        return new ManifestRequest(System.Text.Encoding.UTF8.GetString(manifest.Utf8.Span), Path.GetFullPath(manifest.FilePath));
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

    /// <summary>A request as it is sent: with our protocol, so that a node that is older can say what it does not know.</summary>
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
                $"what the node answered to {method} cannot be read: it is of another version");
        }
    }
}
