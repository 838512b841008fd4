using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Languages.Tests.Cpp;

namespace Cocaine.Fast.Languages.Tests.Ahead;

/// <summary>The app that writes down each begin of its handler, in every way in which a slave tells what it has begun.</summary>
internal static class CountingApps
{
    public static IReadOnlyList<string> All { get; } =
    [
        "python pipe", "python socket", "dotnet pipe", "dotnet socket", "dotnet thread",
        .. CppBuild.Missing is null ? ["cpp pipe", "cpp socket", "cpp thread"] : Array.Empty<string>(),
        .. NeedsFactAttribute.IsHere("perl") ? ["perl socket"] : Array.Empty<string>(),
        .. NeedsFactAttribute.IsHere("node") ? ["javascript socket"] : Array.Empty<string>(),
    ];

    public static AppManifest Of(string kind, EngineSettings engine)
    {
        string[] words = kind.Split(' ');
        bool isThread = words[1] == "thread";
        (AppType type, string source) = words[0] switch
        {
            "python" => (AppType.Python, "tests/apps/counting.py"),
            "perl" => (AppType.Perl, "tests/apps/counting.pl"),
            "javascript" => (AppType.JavaScript, "tests/apps/counting.mjs"),
            "dotnet" => (AppType.DotNet, "tests/dotnet-apps/bin/Release/net10.0/DotNetApps.dll:Cocaine.TestApps.Counting"),
            _ => (AppType.Cpp, isThread ? CppBuild.CountingObject : CppBuild.CountingProgram),
        };
        return TestApps.Python("counting.py", engine with { Backend = isThread ? BackendType.Thread : BackendType.Process }) with
        {
            Type = type,
            Code = new CodeSource
            {
                Source = Path.Combine(Repository.Root, source),
                Env = words[1] == "socket" ? new Dictionary<string, string> { ["COCAINE_PIPE"] = "0" } : new Dictionary<string, string>(),
            },
        };
    }
}
