using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The sends of one turn. They are collected while connections end their turn, and made with one system call. Where the kernel does not
/// offer this, or when there is only one send, each connection sends for itself. Lives on a loop's thread.
/// </summary>
/// <remarks>
/// Safety: an added address is pinned memory of a connection's output. The connection does not touch the memory, and keeps its descriptor
/// open, until it gets the result. A caller that cannot wait for the result calls <see cref="Settle"/>.
/// </remarks>
internal sealed unsafe class SendBatch : IDisposable
{
    private readonly IBatchedSender?[] _senders = new IBatchedSender?[SubmissionRing.Capacity]; // null once the sender got its result
    private readonly int[] _results = new int[SubmissionRing.Capacity];
    private SubmissionRing? _ring;
    private int _made;      // sends that were made and whose results are being reported
    private bool _tried;

    /// <summary>Connections should add their sends to the batch.</summary>
    public bool IsCollecting { get; private set; }

    /// <summary>A turn with so many sends ends: they are collected when there are more than one.</summary>
    public void Begin(int sends)
    {
        if (sends > 1 && !_tried)
        {
            _tried = true;
            _ring = SubmissionRing.TryCreate(); // made here, because only the thread that makes the ring may use it
        }

        IsCollecting = sends > 1 && _ring is not null;
    }

    /// <summary>Adds a send.</summary>
    public void Add(IBatchedSender sender, int descriptor, void* start, int length, int flags)
    {
        _senders[_ring!.Add(descriptor, start, length, flags)] = sender;
        if (_ring.IsFull)
        {
            MakeAll();
        }
    }

    /// <summary>Makes the sends and tells each connection its result.</summary>
    public void Flush()
    {
        IsCollecting = false;
        if (_ring is { Count: > 0 })
        {
            MakeAll();
        }
    }

    /// <summary>Makes sure that a connection with a send in the batch knows its result.</summary>
    public void Settle(IBatchedSender sender)
    {
        if (_ring is { Count: > 0 })
        {
            MakeAll();
            return;
        }

        int index = Array.IndexOf(_senders, sender, 0, _made); // made with others, whose results are being reported
        if (index >= 0)
        {
            Tell(index);
        }
    }

    public void Dispose()
    {
        _ring?.Dispose();
        _ring = null;
    }

    private void MakeAll()
    {
        _made = _ring!.Count;
        if (!_ring.Submit(_results))
        {
            _ring.Dispose();
            _ring = null; // from now on each connection sends for itself
            IsCollecting = false;
        }

        for (int i = 0; i < _made; i++)
        {
            if (_senders[i] is not null)
            {
                Tell(i);
            }
        }
    }

    private void Tell(int index)
    {
        IBatchedSender sender = _senders[index]!;
        _senders[index] = null;
        sender.OnResult(_results[index]);
    }
}
