using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The sends of one turn: collected while connections end their turn, made with one system call. Where the kernel does not offer that, or
/// for one send alone, each connection sends for itself. Lives on a loop's thread.
/// </summary>
/// <remarks>
/// Safety: an address that is added is pinned memory of a connection's output; the connection leaves it alone, and its descriptor open,
/// until it was told the result. A caller that cannot wait for that calls <see cref="Settle"/>.
/// </remarks>
internal sealed unsafe class SendBatch : IDisposable
{
    private readonly IBatchedSender?[] _senders = new IBatchedSender?[SubmissionRing.Capacity]; // null once told its result
    private readonly int[] _results = new int[SubmissionRing.Capacity];
    private SubmissionRing? _ring;
    private int _made;      // sends made whose results are being told
    private bool _tried;

    /// <summary>True when connections are to add what they send.</summary>
    public bool IsCollecting { get; private set; }

    /// <summary>A turn with so many sends ends: they are collected when they are more than one.</summary>
    public void Begin(int sends)
    {
        if (sends > 1 && !_tried)
        {
            _tried = true;
            _ring = SubmissionRing.TryCreate(); // here, because only the thread that makes it may use it
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

    /// <summary>Sees to it that a connection whose send was added knows its result.</summary>
    public void Settle(IBatchedSender sender)
    {
        if (_ring is { Count: > 0 })
        {
            MakeAll();
            return;
        }

        int index = Array.IndexOf(_senders, sender, 0, _made); // made with others, whose results are being told
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
