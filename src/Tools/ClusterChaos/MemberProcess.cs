using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.ClusterChaos;

/// <summary>A node of the run's cluster: <c>cocaine-fast serve</c> as a child, with a folder that its next start finds again.</summary>
internal sealed class MemberProcess : IDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(40);

    private readonly IReadOnlyList<string> _program;
    private readonly StreamWriter _log;
    private readonly string _config;
    private Process? _process;

    public MemberProcess(IReadOnlyList<string> program, string name, string folder, string engine, StreamWriter log)
    {
        _program = program;
        _log = log;
        Name = name;
        Directory.CreateDirectory(folder);
        Control = $"ipc://{folder}/control.sock";
        _config = Path.Combine(folder, "node.json");
        File.WriteAllText(_config, $$"""
            {
              "state": "{{folder}}/state", "ledger": "{{folder}}/ledger", "loops": 1, "locator": "tcp://127.0.0.1:0",
              "control": { "endpoint": "{{Control}}" },
              "cluster": { "name": "{{name}}", "engine": "{{engine}}", "listen": "tcp://127.0.0.1:0" }
            }
            """);
    }

    public string Name { get; }

    /// <summary>The endpoint of its control socket.</summary>
    public string Control { get; }

    /// <summary>The node runs, or stands still.</summary>
    public bool Lives => _process is { HasExited: false };

    /// <summary>Starts it; does not wait for anything.</summary>
    public void Start()
    {
        _process = Process.Start(new ProcessStartInfo(_program[0], [.. _program.Skip(1), "serve", "--config", _config])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new NodeException($"{_program[0]} cannot be started");
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.WriteLine($"{Name}: {line.Data}");
            }
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal)
    {
        if (Lives)
        {
            _ = LibC.kill(_process!.Id, signal);
        }
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>SIGTERM; the exit code, or null when it does not end.</summary>
    public async Task<int?> StopAsync()
    {
        Signal(LibC.SIGTERM);
        using CancellationTokenSource late = new(StopLimit);
        try
        {
            await _process!.WaitForExitAsync(late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        return _process!.ExitCode;
    }

    /// <summary>The cluster as the node sees it; null while the node does not answer.</summary>
    public async Task<ClusterAnswer?> SeesAsync(CancellationToken late) => await AskAsync(
        client => client.ClusterAsync(late), late).ConfigureAwait(false);

    /// <summary>The app's counts on the node; null while the node does not answer, or does not run the app.</summary>
    public async Task<AppCounts?> CountsAsync(string app, CancellationToken late)
    {
        string? info = await AskAsync(client => client.InfoJsonAsync(app, late), late).ConfigureAwait(false);
        if (info is null)
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(info);
        JsonElement jobs = document.RootElement.GetProperty("jobs");
        long Of(string name) => jobs.GetProperty(name).GetInt64();
        return new AppCounts(
            document.RootElement.GetProperty("version").GetInt64(), Of("accepted"), Of("done") + Of("failed"), Of("queued"), Of("running"));
    }

    public void Dispose() => Kill();

    private async Task<T?> AskAsync<T>(Func<NodeControlClient, Task<T>> ask, CancellationToken late)
        where T : class
    {
        try
        {
            await using NodeControlClient client = await NodeControlClient.ConnectAsync(Control, late).ConfigureAwait(false);
            return await ask(client).WaitAsync(late).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or NodeException or Client.CocaineException or OperationCanceledException)
        {
            return null;
        }
    }
}

/// <summary>The counts of an app on one node.</summary>
/// <param name="Version">The version that runs.</param>
/// <param name="Accepted">Jobs that came.</param>
/// <param name="Ended">Jobs that were answered.</param>
/// <param name="Queued">Jobs that wait.</param>
/// <param name="Running">Jobs on slaves, or at other nodes.</param>
internal sealed record AppCounts(long Version, long Accepted, long Ended, long Queued, long Running);
