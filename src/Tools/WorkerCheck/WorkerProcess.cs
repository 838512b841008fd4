using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>A worker process under check: started in the same way as by a node, with its output captured.</summary>
/// <remarks>Safety: owns the pidfd and both output descriptors until <see cref="Dispose"/>; reads go into an array pinned for the call.
/// </remarks>
internal sealed unsafe class WorkerProcess : IDisposable
{
    /// <summary>
    /// The most bytes of output that are kept, so that a worker that writes for ever cannot fill the memory; the checks look for early
    /// lines.
    /// </summary>
    private const int MaxOutputChars = 4 << 20;

    /// <summary>The longest wait for the end of a killed worker.</summary>
    private const int EndWaitMs = 5000;

    private readonly ProcessLauncher _launcher;
    private readonly StartedProcess _process;
    private readonly StringBuilder[] _output = [new(), new()];
    private readonly byte[] _buffer = new byte[16 << 10];
    private readonly int[] _descriptors;
    private bool _disposed;

    private WorkerProcess(ProcessLauncher launcher, StartedProcess process)
    {
        _launcher = launcher;
        _process = process;
        _descriptors = [process.Output, process.Errors];
    }

    /// <summary>The worker's end: <c>exit code 0</c>, <c>signal 9 (SIGKILL)</c>; null while it runs.</summary>
    public string? End { get; private set; }

    public bool ExitedWithZero => End == "exit code 0";

    /// <summary>The descriptors to poll: the pidfd, and the outputs that are open (-1 = closed).</summary>
    public ReadOnlySpan<int> Descriptors => new[] { End is null ? _process.ProcessDescriptor : -1, _descriptors[0], _descriptors[1] };

    public string StandardOutput => _output[0].ToString();

    public string StandardError => _output[1].ToString();

    /// <exception cref="IOException">The process cannot be started.</exception>
    public static WorkerProcess Start(ProcessLauncher launcher, WorkerCommand command)
    {
        TaskCompletionSource<StartedProcess> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        launcher.Start(command, started.SetResult, reason => started.SetException(new IOException(reason)));
        return new WorkerProcess(launcher, started.Task.GetAwaiter().GetResult());
    }

    /// <summary>The last lines of the worker's standard error, for the text of a problem.</summary>
    public string LastLines() => string.Join(" | ", StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));

    /// <summary>Takes the output so far, and notices when the worker has ended.</summary>
    public void Look()
    {
        for (int i = 0; i < 2; i++)
        {
            while (_descriptors[i] >= 0 && Read(i))
            {
            }
        }

        if (End is null && HasEnded(0))
        {
            End = _launcher.TakeEnd(in _process)?.ToString();
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (End is null)
        {
            ProcessLauncher.Kill(in _process);
            if (HasEnded(EndWaitMs))
            {
                _launcher.TakeEnd(in _process);
            }
        }

        for (int i = 0; i < 2; i++)
        {
            Close(i);
        }
    }

    /// <summary>A pidfd is readable when its process has ended. struct pollfd: descriptor, asked for, seen.</summary>
    private bool HasEnded(int timeoutMs)
    {
        const long In = 1L << 32;
        long entry = (uint)_process.ProcessDescriptor | In;
        return LibC.poll(&entry, 1, timeoutMs) > 0;
    }

    private bool Read(int which)
    {
        nint count;
        fixed (byte* start = _buffer)
        {
            count = LibC.read(_descriptors[which], start, _buffer.Length);
        }

        if (count > 0)
        {
            if (_output[which].Length < MaxOutputChars)
            {
                _output[which].Append(Encoding.UTF8.GetString(_buffer.AsSpan(0, (int)count)));
            }

            return true;
        }

        if (count == 0 || Marshal.GetLastPInvokeError() is not (LibC.EAGAIN or LibC.EINTR))
        {
            Close(which);
        }

        return false;
    }

    private void Close(int which)
    {
        if (_descriptors[which] >= 0)
        {
            _ = LibC.close(_descriptors[which]);
            _descriptors[which] = -1;
        }
    }
}
