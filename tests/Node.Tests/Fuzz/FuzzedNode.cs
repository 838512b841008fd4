using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Fuzz;

/// <summary>
/// A live node under fuzz, and what must hold meanwhile: a good client gets each answer right, memory and descriptors come back to what
/// they were, and the log has no fault.
/// </summary>
internal sealed class FuzzedNode : IAsyncDisposable
{
    /// <summary>
    /// The most bytes that the managed heap may grow after the warm-up: pools that reach their size, and the log of the test. A leak of 100
    /// bytes for each of 200,000 inputs is more.
    /// </summary>
    private const long MaxHeapGrowth = 16L << 20;

    /// <summary>The most bytes that the process may grow: the heap's reserve, blocks of connections and rings that are kept.</summary>
    private const long MaxResidentGrowth = 128L << 20;

    /// <summary>The least calls of the good client beside the inputs.</summary>
    private const int MinGoodCalls = 100;

    private static readonly string[] PeersOwn = [":socket:", ":pipe:", "[eventfd]", "[pidfd]", "memfd:"];

    private readonly CancellationTokenSource _end = new();
    private readonly ControlService _control;
    private readonly CocaineClient _good;
    private readonly Task<int> _calls;
    private readonly string _folder;
    private int _answered; // calls of the good client that were answered right
    private long _heapBytes;
    private long _residentBytes;
    private readonly int _sockets = Sockets(); // before any input
    private string[] _descriptors = []; // what they lead to; empty until the warm-up is over

    private FuzzedNode(TestNode node, RunningApp app, ControlService control, CocaineClient good, string folder)
    {
        Node = node;
        App = app;
        _control = control;
        _good = good;
        _folder = folder;
        _calls = Task.Run(CallAsync);
    }

    /// <summary>The seed: of the environment, or always the same one, so that a run of CI can be repeated.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), CultureInfo.InvariantCulture, out int given) ? given : 1;

    public TestNode Node { get; }

    /// <summary>An app that echoes, on a thread of this process, behind a native-server and raw-servers.</summary>
    public RunningApp App { get; }

    public string Folder => _folder;

    public string ControlEndpoint => _control.Endpoint;

    public static async Task<FuzzedNode> StartAsync()
    {
        string folder = Directory.CreateTempSubdirectory("fuzz-").FullName;
        TestNode node = TestNode.Start($"ipc://{folder}/locator.sock");
        ControlService control = await ControlService.OpenAsync(node.Node, $"ipc://{folder}/control.sock", new PlainControlHost(node.Node));
        AppManifest echo = TestApps.DotNet(BackendType.Thread);
        string[] framings = ["line", "length32", "stream", "none"];
        RunningApp app = await node.AddAsync(echo with
        {
            Tasks =
            [
                echo.Tasks[0] with { Endpoints = [$"ipc://{folder}/native.sock"] },
                .. framings.Select(framing => new TaskManifest
                {
                    Name = framing, DriverType = "raw-server", Endpoints = [$"ipc://{folder}/{framing}.sock"],
                    Keys = new Dictionary<string, object> { ["framing"] = framing, ["max-frame"] = 300L, ["event"] = "echo" },
                }),
            ],
        });
        CocaineClient good = await CocaineClient.ConnectAsync($"ipc://{folder}/native.sock");
        await good.CallAsync("echo", new byte[1]); // the node has accepted it: its sockets are counted
        return new FuzzedNode(node, app, control, good, folder);
    }

    /// <summary>Sends bytes on a connection of their own. Half of the peers wait for the node's end, and the others just go.</summary>
    public static void Send(string path, byte[] bytes, bool waits)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 50, SendTimeout = 30_000 };
        socket.Connect(new UnixDomainSocketEndPoint(path)); // blocks while the backlog is full
        try
        {
            for (int sent = 0; sent < bytes.Length;)
            {
                sent += socket.Send(bytes.AsSpan(sent));
            }

            if (waits)
            {
                socket.Shutdown(SocketShutdown.Send);
                byte[] answer = new byte[16 << 10];
                while (socket.Receive(answer) > 0)
                {
                }
            }
        }
        catch (SocketException)
        {
            // Closed at the first bad byte, or nothing more came: both are right.
        }
    }

    /// <summary>
    /// Runs batches of inputs until so many were sent, and until the good client was served often enough beside them. What a fifth of them
    /// took is the warm-up.
    /// </summary>
    public async Task RunAsync(int inputs, Func<int> batch)
    {
        Stopwatch watch = Stopwatch.StartNew();
        bool isWarm = false;
        int sent = 0;
        while (sent < inputs || Volatile.Read(ref _answered) <= MinGoodCalls)
        {
            sent += batch();
            if (!isWarm && sent > inputs / 5)
            {
                isWarm = true;
                await QuietAsync();
                (_heapBytes, _residentBytes, _descriptors) = (Heap(), Resident(), Descriptors());
            }

            Assert.False(_calls.IsFaulted, $"COCAINE_FUZZ_SEED={Seed}: the good client after {sent} inputs: {_calls.Exception}");
        }

        await QuietAsync();
        await CheckAsync(sent, watch.Elapsed);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _good.DisposeAsync();
        await _control.DisposeAsync();
        await Node.DisposeAsync();
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task CheckAsync(int inputs, TimeSpan took)
    {
        await _end.CancelAsync();
        int calls = await _calls;
        string facts = $"COCAINE_FUZZ_SEED={Seed}: {inputs} inputs in {took.TotalSeconds:F1} s beside {calls} good calls";
        Assert.True(calls > MinGoodCalls, facts);
        Assert.True(Heap() - _heapBytes < MaxHeapGrowth, $"{facts}: the heap grew from {_heapBytes} to {Heap()}");
        Assert.True(Resident() - _residentBytes < MaxResidentGrowth, $"{facts}: memory grew from {_residentBytes} to {Resident()}");
        string[] faults = [.. Node.LogLines.Lines.Where(line => line.Contains("Please report") || line.StartsWith("Critical")).Take(3)];
        Assert.True(faults.Length == 0, $"{facts}: {string.Join('\n', faults)}");
        Assert.True(App.Engine.Counters.Holds(0, 0), $"{facts}: {await App.InfoJsonAsync()}");
    }

    /// <summary>Waits until no peer is connected and no job runs: then all that is open belongs to the node and to the good client.</summary>
    private async Task QuietAsync()
    {
        long limit = Stopwatch.GetTimestamp() + (30 * Stopwatch.Frequency);
        while (Descriptors() is var now && _descriptors.Length > 0 && now.Length > _descriptors.Length)
        {
            Assert.True(Stopwatch.GetTimestamp() < limit, $"COCAINE_FUZZ_SEED={Seed}: {now.Length} descriptors are open, and {_descriptors.Length} "
                + $"were; new are {string.Join(' ', now.Except(_descriptors))}: {await App.InfoJsonAsync()}");
            await Task.Delay(20);
        }

        while (_descriptors.Length == 0 && Sockets() > _sockets)
        {
            Assert.True(Stopwatch.GetTimestamp() < limit, $"COCAINE_FUZZ_SEED={Seed}: peers of the warm-up stay: {await App.InfoJsonAsync()}");
            await Task.Delay(20);
        }
    }

    private async Task<int> CallAsync()
    {
        int calls = 0;
        for (; !_end.IsCancellationRequested; calls++)
        {
            byte[] sent = Encoding.ASCII.GetBytes($"call {calls}");
            byte[] answer = await _good.CallAsync("echo", sent).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(sent, answer);
            Volatile.Write(ref _answered, calls + 1);
        }

        return calls;
    }

    private static long Heap() => GC.GetTotalMemory(forceFullCollection: true);

    private static long Resident() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private static int Sockets() => Descriptors().Count(one => one.Contains(":socket:", StringComparison.Ordinal));

    /// <summary>What peers and workers make the node open. The runtime opens others when it likes, for instance assemblies.</summary>
    private static string[] Descriptors() =>
    [
        .. Directory.GetFiles("/proc/self/fd").Select(one => $"{Path.GetFileName(one)}:{new FileInfo(one).LinkTarget}")
            .Where(one => PeersOwn.Any(kind => one.Contains(kind, StringComparison.Ordinal))),
    ];
}
