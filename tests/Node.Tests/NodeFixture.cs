using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Tests;

/// <summary>A node in this process with apps on free ports; workers are real processes.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly LogLines _log = new();
    private readonly CocaineNode _node;

    private TestNode(string? locator, string? stateDirectory)
    {
        LedgerDirectory = Path.Combine(Path.GetTempPath(), $"ledger-{Guid.NewGuid():N}");
        _node = new CocaineNode(new NodeOptions
        {
            Loops = 1,
            Locator = locator,
            LedgerDirectory = LedgerDirectory,
            StateDirectory = stateDirectory,
            LoggerFactory = _log,
        });
    }

    /// <summary>This node's own, so that tests side by side do not meet; it goes with the node.</summary>
    public string LedgerDirectory { get; }

    public CocaineNode Node => _node;

    public string Log => _log.Text;

    public LogLines LogLines => _log;

    public static TestNode Start(string? locator = null, string? stateDirectory = null)
    {
        TestNode node = new(locator, stateDirectory);
        node._node.Start();
        return node;
    }

    public async Task<RunningApp> AddAsync(AppManifest manifest, bool waitReady = true)
    {
        RunningApp app = await _node.AddAsync(manifest);
        if (waitReady)
        {
            await app.Ready.WaitAsync(TimeSpan.FromSeconds(20));
        }

        return app;
    }

    public static Task<CocaineClient> ConnectAsync(RunningApp app) => CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint);

    public async ValueTask DisposeAsync()
    {
        await _node.StopAsync(TimeSpan.FromSeconds(10));
        _log.Dispose();
        if (Directory.Exists(LedgerDirectory))
        {
            Directory.Delete(LedgerDirectory, recursive: true);
        }
    }
}

/// <summary>A log whose lines a test can look at.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly List<(string Text, int Times, TaskCompletionSource Seen)> _waiting = [];

    public ConcurrentQueue<string> Lines { get; } = new();

    public string Text => string.Join('\n', Lines);

    /// <summary>Completes when so many lines have the text.</summary>
    public Task UntilAsync(string text, int times = 1)
    {
        lock (_waiting)
        {
            TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((text, times, seen));
            if (Count(text) >= times)
            {
                seen.TrySetResult();
            }

            return seen.Task;
        }
    }

    /// <summary>Lines that have the text.</summary>
    public int Count(string text) => Lines.Count(line => line.Contains(text));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
        string> formatter)
    {
        string written = $"{logLevel} {formatter(state, exception)} {exception}";
        Lines.Enqueue(written);
        lock (_waiting)
        {
            _waiting.RemoveAll(wait => written.Contains(wait.Text) && Count(wait.Text) >= wait.Times
                && (wait.Seen.TrySetResult() || wait.Seen.Task.IsCompleted));
        }
    }
}

/// <summary>Manifests of the tests' apps.</summary>
internal static class Apps
{
    /// <summary>Asks for the app's info until it shows something; each question is answered by the loop, so this does not spin.</summary>
    public static async Task UntilInfoShowsAsync(this RunningApp app, string text)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (!(await app.InfoJsonAsync().WaitAsync(limit.Token)).Contains(text))
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Asks for the app's info until it is as wanted.</summary>
    public static async Task UntilAsync(this RunningApp app, Predicate<JsonElement> isSo)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            string text = await app.InfoJsonAsync().WaitAsync(TimeSpan.FromSeconds(60));
            using JsonDocument info = JsonDocument.Parse(text);
            if (isSo(info.RootElement))
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(startedAt).TotalSeconds < 60, $"not so within 60 s, but: {text}");
        }
    }

    public static string Root { get; } = FindRoot();

    public static AppManifest Python(string file, EngineSettings? engine = null, IReadOnlyDictionary<string, string>? env = null) => new()
    {
        Name = Path.GetFileNameWithoutExtension(file),
        Type = AppType.Python,
        Code = new CodeSource { Source = Path.Combine(Root, "tests/apps", file), Env = env ?? new Dictionary<string, string>() },
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
                Source = Path.Combine(Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll"),
                Env = env ?? new Dictionary<string, string>(),
            },
            Engine = (engine ?? new EngineSettings { Concurrency = 1024, QueueLimit = 4096, PoolLimit = 1 }) with { Backend = backend },
            Tasks = [Server()],
        };

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static TaskManifest Server() =>
        new() { Name = "event", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] };

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cocaine.Fast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("Cocaine.Fast.sln is in no folder above the tests");
    }
}
