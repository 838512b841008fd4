using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>A copy of the app's manifest in a folder of the run; a reload may change the copy.</summary>
internal sealed class ChaosManifest
{
    private readonly JsonObject _tree;
    private long _version;

    private ChaosManifest(AppManifest app, JsonObject tree, string path)
    {
        App = app;
        _tree = tree;
        _version = app.Version;
        Path = path;
    }

    public AppManifest App { get; }

    public string Path { get; }

    public string Task { get; private init; } = "";

    public string Event { get; private init; } = "";

    /// <summary>Reads the manifest and writes the copy.</summary>
    /// <param name="path">The manifest.</param>
    /// <param name="folder">The folder of the copy.</param>
    /// <param name="eventName">The event of the load; null = the first of the first native-server.</param>
    /// <param name="usesTls">The task's door wants certificates in the copy.</param>
    /// <param name="isOfCluster">Nodes of one machine share the copy: each takes a free port.</param>
    /// <exception cref="NodeException">The manifest is wrong, or has no native-server that can be used.</exception>
    public static ChaosManifest Open(string path, string folder, string? eventName, bool usesTls, bool isOfCluster = false)
    {
        ManifestResult read = ManifestReader.ReadFile(path, checkFiles: true);
        AppManifest app = read.Manifest ?? throw new NodeException(string.Join('\n', read.Problems));
        TaskManifest task = app.Tasks.FirstOrDefault(task => task.DriverType == "native-server"
                && (eventName is null || task.Events.Contains(eventName) || task.Events.Contains("*")))
            ?? throw new NodeException($"app {app.Name} has no native-server{(eventName is null ? "" : $" with the event {eventName}")}");
        JsonNode root = JsonNode.Parse(File.ReadAllText(path), null,
            new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip })!;
        JsonObject tree = root.AsObject();
        tree["name"] = app.Name;
        if (File.Exists(app.Code.Source) || Directory.Exists(app.Code.Source))
        {
            JsonNode source = "local://" + System.IO.Path.GetFullPath(app.Code.Source);
            if (tree["args"] is JsonObject args)
            {
                args["source"] = source;
            }
            else
            {
                tree["args"] = source;
            }
        }

        if (isOfCluster)
        {
            tree["tasks"]![task.Name]!.AsObject()["endpoint"] = "tcp://127.0.0.1:0";
        }

        if (usesTls)
        {
            Secure(tree, task);
        }

        string name = eventName ?? (task.Events.Contains("*") || task.Events.Contains(task.Name) ? task.Name : task.Events[0]);
        ChaosManifest copy = new(app, tree, System.IO.Path.Combine(folder, app.Name + ".json")) { Task = task.Name, Event = name };
        copy.Write();
        return copy;
    }

    /// <summary>Writes the same app as a newer release in the way of an editor: whole, by a rename.</summary>
    public long Bump()
    {
        _version++;
        Write();
        return _version;
    }

    private static void Secure(JsonObject tree, TaskManifest task)
    {
        if (!task.Endpoints.Any(endpoint => endpoint.StartsWith("tcp://", StringComparison.Ordinal)))
        {
            throw new NodeException($"task {task.Name} listens on no TCP endpoint, and other doors have no TLS");
        }

        tree["tasks"]![task.Name]!.AsObject()["tls"] = "mutual";
    }

    private void Write()
    {
        _tree["version"] = _version;
        string next = string.Create(CultureInfo.InvariantCulture, $"{Path}.{_version}.tmp");
        File.WriteAllText(next, _tree.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        File.Move(next, Path, overwrite: true);
    }
}
