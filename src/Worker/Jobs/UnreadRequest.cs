namespace Cocaine.Fast.Worker;

/// <summary>
/// The unread bytes of one streamed request. With flow control the node is asked to hold the rest of the request while they are many.
/// Changed like the request's chunks: by the loop alone, or under the request's lock.
/// </summary>
/// <param name="all">The unread bytes of all requests.</param>
internal sealed class UnreadRequest(UnreadBytes all)
{
    private ulong _channel;
    private bool _isStream; // the handler runs while chunks come: unread chunks count
    private bool _isLong;   // the unread bytes will be looked at; only the loop uses it
    private bool _isHeld;   // the node was asked to hold the rest

    public void Begin(ulong channel, bool isStream)
    {
        _channel = channel;
        _isStream = isStream;
        _isHeld = false;
    }

    /// <summary>A chunk has come. On the loop.</summary>
    public void OnAdded(int bytes, int waitingBytes, ILongRequest request)
    {
        if (!_isStream)
        {
            return;
        }

        if (!all.HasFlow)
        {
            all.Add(bytes);
        }
        else if (!_isHeld && !_isLong && waitingBytes > Limits.HoldBytes)
        {
            _isLong = true;
            all.AddLong(request);
        }
    }

    /// <summary>The handler has read, on any thread.</summary>
    public void OnRead(int bytes, int waitingBytes, bool isEnded, bool isOnLoop)
    {
        if (!_isStream || bytes == 0)
        {
            return;
        }

        if (!all.HasFlow)
        {
            all.Remove(bytes, isOnLoop);
        }
        else if (_isHeld && waitingBytes < Limits.GoOnBytes)
        {
            _isHeld = false;
            if (!isEnded)
            {
                all.GoOn(_channel);
            }
        }
    }

    /// <summary>The handler had its time to read. Asks the node to hold the rest if much is unread. On the loop.</summary>
    public void Look(int waitingBytes, bool isOver)
    {
        _isLong = false;
        if (!isOver && waitingBytes > Limits.HoldBytes)
        {
            _isHeld = true;
            all.Hold(_channel);
        }
    }

    /// <summary>
    /// A reader on another thread has read enough, and the loop hears of it now. Meanwhile chunks may have come and the node may have been
    /// asked to hold once more: then it still holds, and the go-on comes with the next read. On the loop.
    /// </summary>
    public void TellGoOn()
    {
        if (!_isHeld)
        {
            all.GoOn(_channel);
        }
    }

    /// <summary>Nobody reads the rest: the end of the job tells the node enough.</summary>
    public void Forget() => _isHeld = false;
}
