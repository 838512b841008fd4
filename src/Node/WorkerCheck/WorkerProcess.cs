using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Node.WorkerCheck;

/// <summary>A worker process under check: started as a node starts it, with its output captured.</summary>
/// <remarks>Safety: owns the pidfd and both output descriptors until <see cref="Dispose"/>; reads go into an array pinned for the call.
/// </remarks>
internal sealed unsafe class WorkerProcess : IDisposable
{
    /// <summary>A worker that writes for ever must not fill the memory; what the checks look for comes early.</summary>
    private const int MaxOutputChars = 4 << 20;

    private const int ByPidfd = 3, Exited = 4, NoHang = 1, CodeExited = 1;

    private readonly StartedProcess _process;
    private readonly StringBuilder[] _output = [new(), new()];
    private readonly byte[] _buffer = new byte[16 << 10];
    private readonly int[] _descriptors;
    private bool _disposed;

    private WorkerProcess(StartedProcess process)
    {
        _process = process;
        _descriptors = [process.Output, process.Errors];
    }

    /// <summary>How it ended: <c>exit code 0</c>, <c>signal 9</c>; null while it runs.</summary>
    public string? End { get; private set; }

    public bool ExitedWithZero => End == "exit code 0";

    /// <summary>What to poll: the pidfd, and the outputs that are open (-1 = closed).</summary>
    public ReadOnlySpan<int> Descriptors => new[] { End is null ? _process.ProcessDescriptor : -1, _descriptors[0], _descriptors[1] };

    public string StandardOutput => _output[0].ToString();

    public string StandardError => _output[1].ToString();

    /// <exception cref="IOException">It cannot be started.</exception>
    public static WorkerProcess Start(ProcessLauncher launcher, WorkerCommand command)
    {
        TaskCompletionSource<StartedProcess> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        launcher.Start(command, started.SetResult, reason => started.SetException(new IOException(reason)));
        return new WorkerProcess(started.Task.GetAwaiter().GetResult());
    }

    /// <summary>The last lines of its standard error, for a problem's text.</summary>
    public string LastLines() => string.Join(" | ", StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));

    /// <summary>Takes what it has written, and sees whether it has ended.</summary>
    public void Look()
    {
        for (int i = 0; i < 2; i++)
        {
            while (_descriptors[i] >= 0 && Read(i))
            {
            }
        }

        if (End is not null)
        {
            return;
        }

        int* info = stackalloc int[32]; // siginfo_t, 128 bytes: signo, errno, code, pad, pid, uid, status
        new Span<int>(info, 32).Clear();
        if (LibC.waitid(ByPidfd, (uint)_process.ProcessDescriptor, info, Exited | NoHang, null) == 0 && info[0] != 0)
        {
            string status = info[6].ToString(CultureInfo.InvariantCulture);
            End = info[2] == CodeExited ? $"exit code {status}" : $"signal {status}";
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
            _ = LibC.kill(-_process.ProcessId, 9);
            int* info = stackalloc int[32];
            _ = LibC.waitid(ByPidfd, (uint)_process.ProcessDescriptor, info, Exited, null);
        }

        _ = LibC.close(_process.ProcessDescriptor);
        for (int i = 0; i < 2; i++)
        {
            Close(i);
        }
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
