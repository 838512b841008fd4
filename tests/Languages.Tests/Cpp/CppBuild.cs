using System.Diagnostics;

namespace Cocaine.Fast.Languages.Tests.Cpp;

/// <summary>C++ apps for tests, built once a run with the machine's g++.</summary>
internal static class CppBuild
{
    private static readonly string[] ObjectFlags = ["-shared", "-fPIC"];
    private static readonly Lazy<string> Program = new(() => Compile("contract", []));
    private static readonly Lazy<string> Object = new(() => Compile("contract", ObjectFlags));
    private static readonly Lazy<string> FaultyProgramFile = new(() => Compile("faults", ["-rdynamic"]));
    private static readonly Lazy<string> FaultyObjectFile = new(() => Compile("faults", ObjectFlags));
    private static readonly Lazy<string> CountingProgramFile = new(() => Compile("counting", []));
    private static readonly Lazy<string> CountingObjectFile = new(() => Compile("counting", ObjectFlags));
    private static readonly Lazy<string> SlowPeersProgramFile = new(() => Compile("slow_peers", []));
    private static readonly Lazy<string> SlowPeersObjectFile = new(() => Compile("slow_peers", ObjectFlags));

    /// <summary>Null when there is a compiler; else why the test is skipped.</summary>
    public static string? Missing => Find("g++") is null ? "g++ is not on this machine: as root, apt-get install g++" : null;

    public static string ContractProgram => Program.Value;

    public static string ContractObject => Object.Value;

    /// <summary>An app whose handlers do what they should not; its functions have their names in stacks.</summary>
    public static string FaultyProgram => FaultyProgramFile.Value;

    public static string FaultyObject => FaultyObjectFile.Value;

    /// <summary>An app that writes down each begin of its handler.</summary>
    public static string CountingProgram => CountingProgramFile.Value;

    public static string CountingObject => CountingObjectFile.Value;

    /// <summary>An app whose handlers write much, or read slowly.</summary>
    public static string SlowPeersProgram => SlowPeersProgramFile.Value;

    public static string SlowPeersObject => SlowPeersObjectFile.Value;

    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin").Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>Runs a tool to its end; its output when it failed is the assertion's message.</summary>
    public static void Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(Find(program) ?? program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{output}\n{errors.Result}");
    }

    private static string Compile(string source, string[] flags)
    {
        string folder = Directory.CreateTempSubdirectory("cocaine-cpp-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        string output = Path.Combine(folder, flags == ObjectFlags ? source + ".so" : source);
        Run("g++", ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", .. flags,
            "-I" + Path.Combine(Repository.Root, "workers/cpp/include"),
            Path.Combine(Repository.Root, $"tests/contract/cpp/{source}.cpp"), "-o", output]);
        return output;
    }
}

/// <summary>A test that needs a C++ compiler; without one it is reported as skipped, with the reason.</summary>
internal sealed class CppFactAttribute : FactAttribute
{
    public CppFactAttribute(string? alsoNeeds = null) => Skip = CppBuild.Missing ?? (alsoNeeds is null || CppBuild.Find(alsoNeeds) is not null ? null
        : $"{alsoNeeds} is not on this machine: as root, apt-get install {alsoNeeds}");
}

/// <summary>The same for a theory.</summary>
internal sealed class CppTheoryAttribute : TheoryAttribute
{
    public CppTheoryAttribute() => Skip = CppBuild.Missing;
}
