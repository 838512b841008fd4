using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Languages.Tests.Cpp;

namespace Cocaine.Fast.Languages.Tests.Ahead;

/// <summary>The app that writes down each begin of its handler, in every way in which a slave tells what it has begun.</summary>
internal static class CountingApps
{
    public static IReadOnlyList<string> All =>
        CppBuild.Missing is null ? ["python", "dotnet process", "dotnet thread", "cpp process", "cpp thread"]
        : ["python", "dotnet process", "dotnet thread"];

    public static AppManifest Of(string kind, EngineSettings engine)
    {
        BackendType backend = kind.EndsWith("thread", StringComparison.Ordinal) ? BackendType.Thread : BackendType.Process;
        AppManifest manifest = kind.StartsWith("python", StringComparison.Ordinal) ? TestApps.Python("counting.py", engine)
            : TestApps.DotNet(backend, engine);
        return kind.Split(' ')[0] switch
        {
            "dotnet" => manifest with
            {
                Name = "counting",
                Code = new CodeSource
                {
                    Source = $"{Path.Combine(Repository.Root, "tests/dotnet-apps/bin/Release/net10.0/DotNetApps.dll")}:Cocaine.TestApps.Counting",
                },
            },
            "cpp" => manifest with
            {
                Name = "counting",
                Type = AppType.Cpp,
                Code = new CodeSource { Source = backend == BackendType.Thread ? CppBuild.CountingObject : CppBuild.CountingProgram },
            },
            _ => manifest,
        };
    }
}
