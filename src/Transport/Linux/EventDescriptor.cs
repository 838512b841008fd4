using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>
/// An eventfd as a doorbell. The waiting side watches it edge-triggered: every write makes a new edge, so it never needs to be read.
/// </summary>
/// <remarks>Safety: passes addresses of locals to read and write, which keep none; the descriptor is closed once.</remarks>
internal sealed unsafe class EventDescriptor : Doorbell, IDisposable
{
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    private int _descriptor;

    public EventDescriptor()
    {
        _descriptor = LibC.eventfd(0, CloseOnExec | NonBlocking);
        if (_descriptor < 0)
        {
            throw LibC.Failure("eventfd");
        }
    }

    /// <summary>Takes over a descriptor that another process made.</summary>
    public EventDescriptor(int descriptor) => _descriptor = descriptor;

    public int Descriptor => _descriptor;

    public override void Ring()
    {
        ulong one = 1;
        while (LibC.write(_descriptor, &one, sizeof(ulong)) < 0)
        {
            // A full counter (EAGAIN) means that an edge is pending already; a peer that is gone needs no bell.
            if (Marshal.GetLastPInvokeError() != LibC.EINTR)
            {
                return;
            }
        }
    }

    /// <summary>Takes the count back, for a side that waits level-triggered.</summary>
    public void Clear()
    {
        ulong count;
        _ = LibC.read(_descriptor, &count, sizeof(ulong));
    }

    public void Dispose()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = LibC.close(descriptor);
        }
    }
}
