using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>
/// An eventfd as a doorbell. The waiting side watches it edge-triggered: every write makes a new edge, so nobody needs to read it.
/// </summary>
/// <remarks>
/// Safety: passes addresses of locals to read and write, which keep none. <see cref="Ring"/> may come from any thread at any time, also
/// while the owner disposes of the bell or afterwards: the descriptor's number may then belong to another file, so nobody may write to it
/// any more. One word counts the rings under way and records that the bell was disposed. Every change of the word is one interlocked
/// operation, so all threads see its changes in one order. A ring that counted itself before the end finds the descriptor open, because the
/// close waits until the count is 0. A ring that counted itself after the end sees the end and does not use the descriptor. The thread that
/// finds the end set and no ring left closes the descriptor, and the exchange of the descriptor lets only the first such thread close it.
/// All other members are for the owner alone, before it disposes.
/// </remarks>
internal sealed unsafe class EventDescriptor : Doorbell, IDisposable
{
    /// <summary>Bits of <see cref="_uses"/>: the bell was disposed; and one ring under way.</summary>
    private const int Ended = 1, OneRing = 2;

    private int _descriptor;
    private int _uses;

    public EventDescriptor()
    {
        _descriptor = LibC.eventfd(0, LibC.O_CLOEXEC | LibC.O_NONBLOCK);
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
        // Two operations on a word that more than one thread seldom uses: they cost little beside the system call between them.
        if ((Interlocked.Add(ref _uses, OneRing) & Ended) == 0)
        {
            Write();
        }

        if (Interlocked.Add(ref _uses, -OneRing) == Ended)
        {
            Close();
        }
    }

    /// <summary>Takes the count back, for a side that waits level-triggered.</summary>
    public void Clear()
    {
        ulong count;
        _ = LibC.read(_descriptor, &count, sizeof(ulong));
    }

    /// <summary>Closes the descriptor, now or after the last ring under way; from any thread.</summary>
    public void Dispose()
    {
        if ((Interlocked.Or(ref _uses, Ended) | Ended) == Ended)
        {
            Close();
        }
    }

    private void Write()
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

    private void Close()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = LibC.close(descriptor);
        }
    }
}
