using System.Diagnostics;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>A node that runs as a child process: <c>cocaine-fast run</c>, its log in a file.</summary>
internal sealed class NodeProcess : IDisposable
{
    public const int Kill = LibC.SIGKILL, Terminate = LibC.SIGTERM, Stop = LibC.SIGSTOP, Continue = LibC.SIGCONT,
        HangUp = LibC.SIGHUP;

    /// <summary>The longest start of a node and a worker on a busy machine.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private bool _disposed;
    private readonly TaskCompletionSource<string> _endpoint = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NodeProcess(Process process, string task, StreamWriter log)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => OnLine(line.Data, task);
        process.ErrorDataReceived += (_, line) =>
        {
            lock (log)
            {
                log.WriteLine(line.Data);
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <summary>The endpoint that the task listens on.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>Descriptors by kind before the first client came, with <see cref="BaseWorkers"/> workers.</summary>
    public Dictionary<string, int> BaseDescriptors { get; private set; } = [];

    public int BaseWorkers { get; private set; }

    public bool HasExited => _disposed || _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>The node's children except the sentinel, which ends the others when the node is killed.</summary>
    public List<ProcessIdentity> Workers =>
        [.. ProcessTable.Children(Id).Where(child => !ProcessTable.HasWord(child.Id, GroupSentinel.Name))];

    /// <summary>Starts a node and waits until its app is ready.</summary>
    /// <exception cref="NodeException">The node does not come up.</exception>
    public static async Task<NodeProcess> StartAsync(
        IReadOnlyList<string> program, IEnumerable<string> words, string task, StreamWriter log, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(program[0], program.Skip(1).Concat(words))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        Process process = Process.Start(start) ?? throw new NodeException($"{program[0]} cannot be started");
        process.StandardInput.Close();
        NodeProcess node = new(process, task, log);
        try
        {
            await node.UntilReadyAsync(cancellation).ConfigureAwait(false);
            return node;
        }
        catch
        {
            node.Dispose(); // no other code knows the process, so it would live on
            throw;
        }
    }

    public void Signal(int signal)
    {
        if (!HasExited)
        {
            _ = LibC.kill(_process.Id, signal);
        }
    }

    public async Task<bool> WaitAsync(TimeSpan limit)
    {
        using CancellationTokenSource late = new(limit);
        try
        {
            await _process.WaitForExitAsync(late.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            Signal(Kill);
            _disposed = true;
            _process.Dispose();
        }
    }

    private async Task UntilReadyAsync(CancellationToken cancellation)
    {
        Task first = await Task.WhenAny(_endpoint.Task, _process.WaitForExitAsync(cancellation), Task.Delay(StartLimit, cancellation))
            .ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        if (first != _endpoint.Task)
        {
            string why = _process.HasExited ? $"it ended with exit code {_process.ExitCode}"
                : $"not ready after {StartLimit.TotalSeconds} s";
            throw new NodeException($"the node does not start: {why}");
        }

        Endpoint = await _endpoint.Task.ConfigureAwait(false);
        BaseWorkers = Workers.Count;
        BaseDescriptors = ProcessTable.Descriptors(Id);
    }

    private void OnLine(string? line, string task)
    {
        if (line is null || !line.Contains($" task={task} endpoint=", StringComparison.Ordinal))
        {
            return;
        }

        string endpoint = line[(line.IndexOf("endpoint=", StringComparison.Ordinal) + "endpoint=".Length)..];
        if (line.StartsWith("ready ", StringComparison.Ordinal))
        {
            _endpoint.TrySetResult(endpoint);
        }
        else
        {
            _endpoint.TrySetException(new NodeException("the app is broken: its workers cannot be started"));
        }
    }
}
