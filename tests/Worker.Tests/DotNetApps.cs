using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>Manifests of the classes in tests/dotnet-apps.</summary>
internal static class DotNetApps
{
    /// <summary>Thread, process on shared memory, process on its socket.</summary>
    public static TheoryData<BackendType, string> Backends => new()
    {
        { BackendType.Thread, "1" }, { BackendType.Process, "1" }, { BackendType.Process, "0" },
    };

    public static AppManifest Of(string name, BackendType backend, string pipe = "1", EngineSettings? engine = null) =>
        TestApps.DotNet(backend, engine, new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe }) with
        {
            Name = name.ToLowerInvariant(),
            Code = new CodeSource
            {
                Source = $"{Path.Combine(Repository.Root, "tests/dotnet-apps/bin/Release/net10.0/DotNetApps.dll")}:Cocaine.TestApps.{name}",
                Env = new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe },
            },
        };
}
