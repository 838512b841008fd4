using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Harness;

/// <summary>Versions of an app, and what is asked of them.</summary>
internal static class Versions
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    public static AppManifest Python(
        int version, EngineSettings? engine = null, string file = "versioned.py", params (string Name, string Value)[] env)
    {
        Dictionary<string, string> environment = new() { ["VERSION"] = $"{version}" };
        foreach ((string name, string value) in env)
        {
            environment[name] = value;
        }

        return TestApps.Python(file, engine, environment) with { Name = "app", Version = version };
    }

    public static AppManifest With(this AppManifest manifest, params TaskManifest[] tasks) => manifest with { Tasks = tasks };

    public static TaskManifest Server(string name = "event", int backlog = 0, params string[] events) => new()
    {
        Name = name,
        DriverType = "native-server",
        Endpoints = ["tcp://127.0.0.1:0"],
        Events = events.Length > 0 ? events : ["*"],
        Backlog = backlog,
    };

    public static async Task<string> TextAsync(this CocaineClient client, string name, string request = "") =>
        Encoding.UTF8.GetString(await client.CallAsync(name, Utf8.Of(request)).WaitAsync(Long));

    public static async Task<JsonElement> InfoAsync(this RunningApp app)
    {
        using JsonDocument info = JsonDocument.Parse(await app.InfoJsonAsync().WaitAsync(Long));
        return info.RootElement.Clone();
    }

    /// <summary>A file that is not there.</summary>
    public static string Gate() => Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
}
