using System.Text;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Daemon;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>A daemon in this process, with its state and its control socket in a folder of the test.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly LogLines _log = new();

    private TestDaemon(TestFolder folder, string more, TimeSpan controlCheckPeriod) =>
        Daemon = new NodeDaemon(Config(folder, more), _log) { ControlCheckPeriod = controlCheckPeriod };

    public NodeDaemon Daemon { get; }

    public string Log => string.Join('\n', _log.Lines);

    public static async Task<TestDaemon> StartAsync(TestFolder folder, string more = "", int controlCheckMs = 60_000)
    {
        TestDaemon daemon = new(folder, more, TimeSpan.FromMilliseconds(controlCheckMs));
        try
        {
            await daemon.Daemon.StartAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>The config of a test; <paramref name="more"/> are keys of it.</summary>
    public static NodeConfig Config(TestFolder folder, string more)
    {
        string control = more.Contains("\"control\"") ? "" : $$""" "control": { "endpoint": "ipc://{{folder["control.sock"]}}" }, """;
        string text = $$"""
            { "state": "{{folder["state"]}}", "ledger": "{{folder["ledger"]}}", "locator": "none", "loops": 1, "drain-timeout": 10, {{control}} {{more}} }
            """;
        ConfigResult result = ConfigReader.Read(Encoding.UTF8.GetBytes(text), folder["node.json"]);
        return result.Config ?? throw new FormatException(string.Join('\n', result.Problems));
    }

    public Task<RunningApp> CreateAsync(string file) => Daemon.CreateAsync(Text(file), CancellationToken.None);

    public Task<ReplaceOutcome> ReplaceAsync(string file, bool force = false) =>
        Daemon.ReplaceAsync(Text(file), force, CancellationToken.None);

    public Task DeleteAsync(string name) => Daemon.DeleteAsync(name, TimeSpan.FromSeconds(10), CancellationToken.None);

    /// <summary>Waits for a line of the log.</summary>
    public Task UntilLogAsync(string text) => _log.UntilAsync(text).WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Only lines from here on are found.</summary>
    public void ForgetLog() => _log.Lines.Clear();

    /// <summary>Names and versions of what runs.</summary>
    public string[] Running => [.. Daemon.Node.Apps.Select(app => $"{app.Name} {app.Manifest.Version}").Order(StringComparer.Ordinal)];

    public ValueTask DisposeAsync() => Daemon.DisposeAsync();

    private static ManifestText Text(string file) => new(File.ReadAllBytes(file), file);
}
