using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Doors;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// The JSON control protocol of 2012, versions 2 and 3: create, reload, delete and info, with the texts that its clients know. Section
/// "The control protocol of 2012" of docs/node.md.
/// </summary>
internal sealed class JsonControl
{
    private const string NotActive = "the specified app is not active";

    /// <summary>Longer than a request for many apps takes, each of which has its own bounds; the peer waits no longer.</summary>
    private static readonly TimeSpan UsualPatience = TimeSpan.FromMinutes(30);

    private readonly NodeDaemon _daemon;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly JsonControlGate _gate;
    private readonly JsonControlSocket _socket;

    private JsonControl(NodeDaemon daemon, ILogger log)
    {
        _daemon = daemon;
        _gate = new JsonControlGate(daemon.Node.Doors.Keeper, () => daemon.Node.Doors.Seals.Gate);
        _socket = new JsonControlSocket(
            daemon.Node.ZeroMq, daemon.Node.FirstLoop, log,
            (request, signature) => NodeThreads.Run(() => AnswerAsync(request, signature)), UsualPatience);
    }

    public IReadOnlyList<string> Endpoints => _socket.Endpoints;

    /// <exception cref="NodeException">The endpoint cannot be used.</exception>
    public static async Task<JsonControl> OpenAsync(NodeDaemon daemon, string endpoint, ILogger log)
    {
        JsonControl control = new(daemon, log);
        try
        {
            if (OpenToOthers(endpoint) is { } open)
            {
                control._gate.OpenToOthers();
                if (!control._gate.IsClosed)
                {
                    throw new IOException(
                        $"{endpoint}: other hosts can reach {open}, and everybody who reaches it can run code as the node");
                }
            }

            await daemon.Node.FirstLoop.RunAsync(() => control._socket.Open(endpoint));
            return control;
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            throw new NodeException($"control.zeromq: {failure.Message}; choose another endpoint, or leave the key out", failure);
        }
    }

    public void Close() => _socket.Close();

    /// <summary>The answer to a request: an object. Its <c>error</c> says when the request as a whole was wrong.</summary>
    internal async Task<byte[]> AnswerAsync(byte[] request, byte[] signature)
    {
        JsonObject answer;
        try
        {
            using JsonDocument document = JsonDocument.Parse(request, new JsonDocumentOptions { MaxDepth = 32 }); // as manifests
            answer = await DispatchAsync(document.RootElement, request, signature);
        }
        catch (JsonException mistake)
        {
            answer = Error($"not JSON: {ControlRequest.PlaceOf(mistake)}");
        }
        catch (InvalidOperationException)
        {
            answer = Error("not JSON: a string is no text: half of a surrogate pair, or no UTF-8");
        }
        catch (NodeException failure)
        {
            answer = Error(failure.Message);
        }

        return Encoding.UTF8.GetBytes(answer.ToJsonString() + '\n'); // ends with a line feed, like the answers of 2012
    }

    /// <summary>
    /// An address that other hosts can reach; null when there is none. The config's reader knows addresses by their text only: an interface
    /// that is called lo may have more than loopback addresses.
    /// </summary>
    private static EndPoint? OpenToOthers(string endpoint) => Endpoint.Parse(endpoint).ListenAddresses()
        .FirstOrDefault(address => address is not IPEndPoint at || !IPAddress.IsLoopback(at.Address));

    private Task<JsonObject> DispatchAsync(JsonElement root, byte[] request, byte[] signature)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new NodeException("json root must be an object");
        }

        int version = root.TryGetProperty("version", out JsonElement number) && number.ValueKind == JsonValueKind.Number
            && number.TryGetInt32(out int given) ? given : 0;
        if (version is < 2 or > 3)
        {
            throw new NodeException("unsupported protocol version");
        }

        ActionRights rights = _gate.RightsOf(version, request, signature, root);
        return Text(root, "action") switch
        {
            "create" => EachAsync(Created(root), (name, manifest) => CreateAsync(rights, name, manifest)),
            "reload" => EachAsync(Named(root), (name, _) => ReloadAsync(rights, name)),
            "delete" => EachAsync(Named(root), (name, _) => DeleteAsync(rights, name)),
            "info" => InfoAsync(rights),
            _ => throw new NodeException("unsupported action"),
        };
    }

    /// <summary>Refuses an action that no rule gives to its caller.</summary>
    private static void Require(ActionRights rights, string verb, string? app)
    {
        if (!rights.MayControl(verb, app, out DoorRefusal refusal))
        {
            throw new NodeException(refusal.Text) { Code = refusal.Code };
        }
    }

    /// <summary>
    /// Runs an action for each app, and collects the results: a failure of one app does not keep the action from the others.
    /// </summary>
    private static async Task<JsonObject> EachAsync(
        IEnumerable<(string Name, JsonElement Manifest)> apps, Func<string, JsonElement, Task<JsonObject>> work)
    {
        JsonObject result = [];
        foreach ((string name, JsonElement manifest) in apps)
        {
            try
            {
                result[name] = await work(name, manifest);
            }
            catch (Exception failure) when (failure is NodeException or ManifestException)
            {
                result[name] = Error(failure.Message);
            }
        }

        return result;
    }

    private static List<(string Name, JsonElement Manifest)> Created(JsonElement root)
    {
        List<(string, JsonElement)> apps = root.TryGetProperty("apps", out JsonElement all) && all.ValueKind == JsonValueKind.Object
            ? [.. all.EnumerateObject().Select(app => (app.Name, app.Value))] : [];
        return apps.Count > 0 ? apps : throw new NodeException("no apps have been specified");
    }

    private static List<(string Name, JsonElement Manifest)> Named(JsonElement root)
    {
        List<(string, JsonElement)> apps = root.TryGetProperty("apps", out JsonElement all) && all.ValueKind == JsonValueKind.Array
            ? [.. all.EnumerateArray().Select(app => (app.ValueKind == JsonValueKind.String ? app.GetString()! : "", default(JsonElement)))]
            : [];
        return apps.Count > 0 ? apps : throw new NodeException("no apps have been specified");
    }

    private async Task<JsonObject> CreateAsync(ActionRights rights, string name, JsonElement manifest)
    {
        Require(rights, "create", name);
        if (_daemon.Node.Find(name) is not null)
        {
            throw new NodeException("the specified app is already active");
        }

        if (manifest.ValueKind != JsonValueKind.Object)
        {
            throw new NodeException("app manifest expected");
        }

        // A file's name is taken in lower case, and later requests could not find an app with another name than its key.
        if (!KeyReader.IsAppName(name))
        {
            throw new NodeException($"'{JsonPath.Shown(name)}' is no app name: a-z, 0-9, '.', '_' and '-', at most 64 characters");
        }

        if (manifest.TryGetProperty("name", out JsonElement own) && (own.ValueKind != JsonValueKind.String || own.GetString() != name))
        {
            throw new NodeException($"the manifest has another name than '{name}'");
        }

        // The key is the app's name. As the file's name, it serves when the manifest has none. The manifest's relative paths start from the
        // root.
        byte[] text = Encoding.UTF8.GetBytes(manifest.GetRawText());
        RunningApp app = await _daemon.CreateAsync(new ManifestText(text, $"/{name}.json"), CancellationToken.None);
        return (await EngineInfoAsync(app)).Info;
    }

    private async Task<JsonObject> ReloadAsync(ActionRights rights, string name)
    {
        Require(rights, "replace", name);
        RequireActive(name);
        ReplaceOutcome outcome = await _daemon.ReloadAsync(name, CancellationToken.None);
        return !outcome.Replaced ? Error(outcome.Reason ?? "it did not come up")
            : (await EngineInfoAsync(_daemon.Node.Find(name) ?? throw new NodeException(NotActive))).Info;
    }

    private async Task<JsonObject> DeleteAsync(ActionRights rights, string name)
    {
        Require(rights, "delete", name);
        RequireActive(name);
        await _daemon.DeleteAsync(name, _daemon.DrainTimeout, CancellationToken.None);
        return new JsonObject { ["running"] = false };
    }

    private async Task<JsonObject> InfoAsync(ActionRights rights)
    {
        Require(rights, "info", app: null);
        JsonObject apps = [];
        long pending = 0, processed = 0;
        foreach (RunningApp app in _daemon.Node.Apps.Where(app => rights.MayList("info", app.Name)))
        {
            (JsonObject info, JsonElement jobs) = await EngineInfoAsync(app);
            apps[app.Name] = info;
            pending += jobs.GetProperty("queued").GetInt64() + jobs.GetProperty("running").GetInt64();
            processed += jobs.GetProperty("accepted").GetInt64();
        }

        return new JsonObject
        {
            ["route"] = $"default/{OldTaskInfo.Host}",
            ["apps"] = apps,
            ["jobs"] = new JsonObject { ["pending"] = pending, ["processed"] = processed },
            ["uptime"] = Stopwatch.GetElapsedTime(_started).TotalSeconds,
        };
    }

    /// <summary>The values that engines of 2012 reported about themselves, and the present counters.</summary>
    private static async Task<(JsonObject Info, JsonElement Jobs)> EngineInfoAsync(RunningApp app)
    {
        JsonElement info = JsonSerializer.Deserialize<JsonElement>(await app.InfoJsonAsync());
        JsonElement pool = info.GetProperty("pool");
        JsonObject tasks = [];
        foreach (JsonProperty task in info.GetProperty("tasks").EnumerateObject())
        {
            tasks[task.Name] = OldTaskInfo.Of(app, task.Name, task.Value);
        }

        JsonObject engine = new()
        {
            ["queue-depth"] = info.GetProperty("queue").GetProperty("depth").GetInt64(),
            ["slaves"] = new JsonObject
            {
                ["total"] = pool.GetProperty("total").GetInt64(),
                ["busy"] = pool.GetProperty("busy").GetInt64(),
            },
            ["tasks"] = tasks,
            ["running"] = true,
        };
        return (engine, info.GetProperty("jobs"));
    }

    private void RequireActive(string name)
    {
        if (_daemon.Node.Find(name) is null)
        {
            throw new NodeException(NotActive);
        }
    }

    private static string Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static JsonObject Error(string text) => new() { ["error"] = text };
}
