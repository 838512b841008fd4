using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Cocaine.Fast.Node.Tests.Flow;

/// <summary>A node as a process, with the app of tests/dotnet-apps/Pouring.cs on one slave, and the memory of both.</summary>
internal sealed class PouringNode : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");

    private const int Tasks = 4;

    private readonly TestFolder _folder;
    private readonly Process _node;
    private readonly StringBuilder _log = new();
    private readonly Dictionary<string, string> _endpoints = [];

    private PouringNode(TestFolder folder, string backend, string pipe, int concurrency)
    {
        _folder = folder;
        string app = Path.Combine(Repository.Root, "tests/dotnet-apps/bin/Release/net10.0/DotNetApps.dll");
        string manifest = folder.Write("app.json", $$"""
            { "name": "pouring", "type": "dotnet",
              "args": { "source": "{{app}}:Cocaine.TestApps.Pouring", "env": { "COCAINE_PIPE": "{{pipe}}" } },
              "engine": { "backend": "{{backend}}", "pool-limit": 1, "concurrency": {{concurrency}}, "queue-limit": 100 },
              "tasks": { "native": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" },
                         "drinks": { "type": "native-sink", "endpoint": "tcp://127.0.0.1:0" },
                         "sips": { "type": "raw-server", "endpoint": "tcp://127.0.0.1:0", "framing": "stream" },
                         "streams": { "type": "raw-server", "endpoint": "tcp://127.0.0.1:0", "framing": "stream" } } }
            """);
        ProcessStartInfo start = new(Program, ["run", manifest, "--locator", "none", "--ledger-folder", folder["ledger"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _node = Process.Start(start)!;
        _node.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.AppendLine(line.Data);
            }
        };
        _node.BeginErrorReadLine();
    }

    /// <summary>Where a task listens.</summary>
    public string this[string task] => _endpoints[task];

    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>The processes whose memory is bounded: the node, and its worker when that is a process.</summary>
    public IReadOnlyList<int> Processes { get; private set; } = [];

    public static PouringNode Start(TestFolder folder, string backend, string pipe, int concurrency = 16)
    {
        PouringNode node = new(folder, backend, pipe, concurrency);
        while (node._endpoints.Count < Tasks)
        {
            string line = node._node.StandardOutput.ReadLine() ?? throw new InvalidOperationException(node.Log);
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                node._endpoints[ValueOf(line, "task=")] = ValueOf(line, "endpoint=");
            }
        }

        _ = node._node.StandardOutput.ReadToEndAsync();
        return node;
    }

    /// <summary>Remembers the memory of now, and forgets the peaks before it. The slave has worked before.</summary>
    public IReadOnlyList<long> Mark()
    {
        IEnumerable<int> workers = Directory.EnumerateDirectories($"/proc/{_node.Id}/task")
            .SelectMany(task => File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(text => int.Parse(text, CultureInfo.InvariantCulture))
            .Where(child => File.ReadAllText($"/proc/{child}/cmdline").Contains("--uuid", StringComparison.Ordinal));
        Processes = [_node.Id, .. workers];
        foreach (int process in Processes)
        {
            File.WriteAllText($"/proc/{process}/clear_refs", "5"); // the peak is counted anew: proc(5)
        }

        return [.. Processes.Select(process => Kilobytes(process, "VmRSS"))];
    }

    /// <summary>How far the memory of each process has grown over that of the mark at most, MB.</summary>
    public IReadOnlyList<double> GrownMb(IReadOnlyList<long> mark) =>
        [.. Processes.Zip(mark, (process, before) => (Kilobytes(process, "VmHWM") - before) / 1024.0)];

    public void Dispose()
    {
        _node.Kill(entireProcessTree: true);
        _node.WaitForExit();
        _node.Dispose();
        _folder.Dispose();
    }

    private static string ValueOf(string line, string key) =>
        line[(line.IndexOf(key, StringComparison.Ordinal) + key.Length)..].Split(' ')[0];

    private static long Kilobytes(int process, string field) => File.ReadLines($"/proc/{process}/status")
        .Where(line => line.StartsWith(field, StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).Single();
}
