using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Harness;

/// <summary>Manifests of apps that many tests run: those of tests/apps, and the example in C#.</summary>
internal static class TestApps
{
    public static AppManifest Python(string file, EngineSettings? engine = null, IReadOnlyDictionary<string, string>? env = null) => new()
    {
        Name = Path.GetFileNameWithoutExtension(file),
        Type = AppType.Python,
        Code = new CodeSource { Source = Path.Combine(Repository.Root, "tests/apps", file), Env = env ?? new Dictionary<string, string>() },
        Engine = engine ?? new EngineSettings { QueueLimit = 1000 },
        Tasks = [Server()],
    };

    /// <summary>An app of a few lines, which are written into a folder of the test's.</summary>
    public static AppManifest Python(string folder, string code, EngineSettings engine)
    {
        string file = Path.Combine(folder, "app.py");
        File.WriteAllText(file, code.ReplaceLineEndings("\n"));
        return Python("behaviours.py") with { Name = "app", Code = new CodeSource { Source = file }, Engine = engine };
    }

    public static AppManifest DotNet(BackendType backend, EngineSettings? engine = null, IReadOnlyDictionary<string,
        string>? env = null) => new()
        {
            Name = "dotnet-echo",
            Type = AppType.DotNet,
            Code = new CodeSource
            {
                Source = Path.Combine(Repository.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll"),
                Env = env ?? new Dictionary<string, string>(),
            },
            Engine = (engine ?? new EngineSettings { Concurrency = 1024, QueueLimit = 4096, PoolLimit = 1 }) with { Backend = backend },
            Tasks = [Server()],
        };

    private static TaskManifest Server() =>
        new() { Name = "event", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] };
}
