using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>One output stream of a worker, line by line into the log. The last lines are kept for the cause of a failed start.</summary>
/// <remarks>Safety: reads into a private array that is pinned for the call.</remarks>
internal sealed unsafe class CapturedOutput(EventLoop loop, int descriptor, Action<string> onLine) : LoopHandler
{
    /// <summary>A longer line is cut into several, so that a worker that never writes a newline cannot fill the memory.</summary>
    private const int MaxLineBytes = 16 << 10;

    /// <summary>The most reads in one event, so that a worker with much output does not hold up the loop.</summary>
    private const int MaxReadsPerEvent = 4;

    private readonly byte[] _buffer = new byte[MaxLineBytes];
    private readonly Queue<string> _last = new();
    private int _length;
    private int _descriptor = descriptor;

    /// <summary>The last lines, oldest first.</summary>
    public IEnumerable<string> LastLines => _last;

    public void Open() => loop.Watch(this, _descriptor, Epoll.In);

    public override void OnReady(uint events)
    {
        for (int i = 0; i < MaxReadsPerEvent; i++)
        {
            if (!Read())
            {
                return;
            }
        }
    }

    /// <summary>Reads the rest of the output after the worker's end, and closes.</summary>
    public void Finish()
    {
        // Bounded, because a grandchild that inherited the pipe may write for ever.
        for (int i = 0; i < 64 && _descriptor >= 0 && Read(); i++)
        {
        }

        Close();
    }

    private bool Read()
    {
        nint count;
        fixed (byte* start = &_buffer[_length])
        {
            count = LibC.read(_descriptor, start, _buffer.Length - _length);
        }

        if (count <= 0)
        {
            if (count == 0 || Marshal.GetLastPInvokeError() is not (LibC.EAGAIN or LibC.EINTR))
            {
                Close();
            }

            return false;
        }

        _length += (int)count;
        Split();
        return true;
    }

    private void Split()
    {
        int start = 0;
        int end;
        while ((end = _buffer.AsSpan(start, _length - start).IndexOf((byte)'\n')) >= 0)
        {
            Line(_buffer.AsSpan(start, end));
            start += end + 1;
        }

        if (start == 0 && _length == _buffer.Length)
        {
            Line(_buffer);
            start = _length;
        }

        _buffer.AsSpan(start, _length - start).CopyTo(_buffer);
        _length -= start;
    }

    private void Line(ReadOnlySpan<byte> bytes)
    {
        string line = Encoding.UTF8.GetString(bytes).TrimEnd('\r');
        _last.Enqueue(line);
        if (_last.Count > EngineLimits.LastLines)
        {
            _last.Dequeue();
        }

        onLine(line);
    }

    private void Close()
    {
        if (_descriptor < 0)
        {
            return;
        }

        if (_length > 0)
        {
            Line(_buffer.AsSpan(0, _length));
            _length = 0;
        }

        loop.Forget(this, _descriptor);
        _ = LibC.close(_descriptor);
        _descriptor = -1;
    }
}
