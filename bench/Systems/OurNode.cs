using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>A node of ours with one or more echo apps, as it is shipped.</summary>
/// <param name="Type">The language, as a manifest names it.</param>
/// <param name="Backend">process or thread.</param>
internal sealed record OurNode(string Type, string Backend)
{
    private static readonly string Published = Path.Combine(Catalog.Root, "artifacts/cocaine-fast");

    /// <summary>Clients come over a Unix socket.</summary>
    public bool Unix { get; init; }

    /// <summary>Workers get the shared-memory pipe; else they stay on their socket.</summary>
    public bool Pipe { get; init; } = true;

    /// <summary>Slaves of each app; null = the manifest does not say.</summary>
    public int? Slaves { get; init; } = 1;

    /// <summary>Loops of each app.</summary>
    public int Loops { get; init; } = 1;

    /// <summary>
    /// Jobs in one slave at once: more than any shape has in flight, so that nothing waits in the queue; null = the manifest does not say.
    /// </summary>
    public int? Concurrency { get; init; } = 2048;

    /// <summary>Jobs that may wait.</summary>
    public int QueueLimit { get; init; }

    /// <summary>How long a slave looks for work before it parks, µs; null = the manifest does not say.</summary>
    public int? SpinMicroseconds { get; init; } = 0;

    /// <summary>Apps, each with an endpoint of its own.</summary>
    public int Apps { get; init; } = 1;

    /// <summary>Builds the program when it is not there, or when the sources are newer: yesterday's would be measured as today's.</summary>
    public static async Task BuildAsync()
    {
        DateTime sources = Newest(Path.Combine(Catalog.Root, "src")) is var src && Newest(Path.Combine(Catalog.Root, "workers")) is var sdk
            && src > sdk ? src : sdk;
        if (Directory.Exists(Published) && Newest(Published) > sources)
        {
            return;
        }

        string script = Path.Combine(Catalog.Root, "scripts/build");
        Console.Error.WriteLine($"building with {script}");
        using Process build = Process.Start(new ProcessStartInfo(script) { RedirectStandardOutput = true })!;
        string output = await build.StandardOutput.ReadToEndAsync();
        await build.WaitForExitAsync();
        if (build.ExitCode != 0)
        {
            throw new IOException($"{script} failed:\n{output}");
        }
    }

    /// <summary>The system that it is in tables.</summary>
    /// <param name="name">Its name there.</param>
    /// <param name="called">The event that is called.</param>
    public BenchSystem Named(string name, string called = "echo") => new($"cocaine-fast {name}", "native", StartAsync) { Event = called };

    private static string EchoDll => Path.Combine(Catalog.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll");

    /// <summary>The echo among the examples; C++ is compiled into the folder.</summary>
    private async Task<string> SourceAsync(string folder)
    {
        if (Type != "cpp")
        {
            return Type == "dotnet" ? EchoDll : Path.Combine(Catalog.Root, Type switch
            {
                "python" => "examples/echo/echo.py",
                "perl" => "examples/perl-echo/echo.pl",
                _ => "examples/javascript-echo/echo.mjs",
            });
        }

        string built = Path.Combine(folder, Backend == "thread" ? "echo.so" : "echo");
        string[] kind = Backend == "thread" ? ["-shared", "-fPIC"] : [];
        using Process compiler = Process.Start("g++",
        [
            "-std=c++17", "-O2", "-pthread", .. kind, "-I" + Path.Combine(Catalog.Root, "workers/cpp/include"),
            Path.Combine(Catalog.Root, "examples/cpp-echo/echo.cpp"), "-o", built,
        ]);
        await compiler.WaitForExitAsync();
        return compiler.ExitCode == 0 ? built : throw new IOException("g++ could not compile examples/cpp-echo/echo.cpp");
    }

    private async Task<Started> StartAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("cocaine-bench-");
        string source = await SourceAsync(folder.FullName);
        string[] manifests = [.. Enumerable.Range(0, Apps).Select(i => Path.Combine(folder.FullName, $"echo-{i}.json"))];
        for (int i = 0; i < Apps; i++)
        {
            await File.WriteAllTextAsync(manifests[i], Manifest(source, Unix ? $"ipc://{folder.FullName}/{i}.sock" : "tcp://127.0.0.1:0"));
        }

        ServerProcess node = await ServerProcess.StartAsync(
            new ProcessStartInfo(Path.Combine(Published, "cocaine-fast"),
                ["run", .. manifests, "--locator", "none", "--loops", "1", "--log-level", "Error"]),
            "ready app=", Apps);
        node.Folder = folder.FullName;
        return new Started([node], [.. node.Ready.Select(line => line[(line.IndexOf("endpoint=", StringComparison.Ordinal) + 9)..])]);
    }

    /// <summary>The same node with the manifest of somebody's first day, in which the load of the headline may wait.</summary>
    public OurNode WithDefaults(int? slaves = null) =>
        this with { Slaves = slaves, Concurrency = null, SpinMicroseconds = null, QueueLimit = 256 };

    private string Manifest(string source, string endpoint) => $$"""
        {
          "type": "{{Type}}",
          "args": {
            "source": "local://{{source}}",
            "env": { "COCAINE_PIPE": "{{(Pipe ? 1 : 0)}}" }
          },
          "engine": {
            {{Key("pool-limit", Slaves)}}{{Key("pool-minimum", Slaves)}}{{Key("concurrency", Concurrency)}}{{Key("spin", SpinMicroseconds)}}
            "backend": "{{Backend}}", "queue-limit": {{QueueLimit}}, "startup-timeout": 60, "loops": {{Loops}}
          },
          "tasks": {
            "echo": { "type": "native-server", "endpoint": "{{endpoint}}", "backlog": 16384, "connections": 65536, "events": "*" }
          }
        }
        """;

    private static string Key(string name, int? value) => value is { } number ? $"\"{name}\": {number}, " : "";

    private static DateTime Newest(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/") && !file.Contains("/bin/") && !file.Contains("/__pycache__/") && !file.Contains("/tests/"))
        .Select(File.GetLastWriteTimeUtc).DefaultIfEmpty().Max();
}
