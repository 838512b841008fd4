using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>
/// The common parts of all calls: channel, deadline and cancellation. A call is pooled, and is its own posted work, so that a call
/// allocates nothing.
/// </summary>
/// <remarks>
/// The caller's thread sets the call up and posts it. From then on only the loop touches its members, until the call has ended. The post is
/// the fence.
/// </remarks>
internal abstract class CallBase : LoopWork, IChannelOwner
{
    /// <summary>After its deadline the node has this long to report the timeout itself.</summary>
    private const int DeadlineSlackMs = 1000;

    private readonly DeadlineTimer _timer;
    private readonly CancelWork _cancel;
    private readonly CallSeal? _seal; // null when calls are not sealed
    private byte[] _name = [];
    private CallOptions _options;
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;

    protected CallBase(ClientConnection connection)
    {
        Connection = connection;
        _timer = new DeadlineTimer(this);
        _cancel = new CancelWork(this);
        _seal = connection.Sealer is { } sealer ? new CallSeal(connection, sealer) : null;
    }

    protected ClientConnection Connection { get; }

    /// <summary>0 before the channel is open and after the call has ended.</summary>
    protected ulong Channel { get; private set; }

    /// <summary>On the loop: opens the channel.</summary>
    public override void Run()
    {
        if (Connection.Ended is { } reason)
        {
            Finish(new ConnectionLostException(reason) { WasNeverSent = true });
            return;
        }

        if (_cancellation.IsCancellationRequested)
        {
            Finish(new OperationCanceledException(_cancellation));
            return;
        }

        Span<byte> own = stackalloc byte[CallOptions.MaxEncodedBytes + Connection.Credential.Length]; // a token is short
        ReadOnlySpan<byte> headers = _seal is null
            ? own[.._options.Encode(own, Connection.TakeOffer(), credential: Connection.Credential)]
            : _seal.Begin(_name, in _options, Connection.TakeOffer());
        MessageWriter.WriteEnqueue(Connection.Output, Connection.NextChannel, _name, headers, Connection.IsFirst);
        Channel = Connection.Open(this); // after the message: a channel that is open here is open for the node too
        try
        {
            WriteRequest();
        }
        catch (Exception failure)
        {
            GiveUp(failure); // the request's memory is the caller's: whatever fails there ends this call, and no other
            return;
        }

        Connection.ScheduleSend();
        if (_options.Deadline is { } deadline)
        {
            Connection.Loop.Timers.Arm(_timer, Connection.Loop.NowMs + (long)deadline.TotalMilliseconds + DeadlineSlackMs);
        }

        if (_cancellation.CanBeCanceled)
        {
            _registration = _cancellation.UnsafeRegister(static call => ((CallBase)call!)._cancel.Ask(), this);
        }
    }

    public void OnChunk(in MessageView message)
    {
        if (_seal is null)
        {
            OnData(message.Layout.Shape == ArgumentShape.Data ? message.Data : new Payload(message.Arguments));
            return;
        }

        try
        {
            if (_seal.TryRead(in message, out Payload chunk))
            {
                OnData(in chunk);
            }
        }
        catch (CocaineException failure)
        {
            GiveUp(failure);
        }
    }

    public void OnClosed() => Finish(_seal?.OnClosed());

    public void OnError(CocaineException error) => Finish(_seal?.OnError(error) ?? error);

    public virtual void OnHold(bool hold)
    {
    }

    public void OnLost(string reason) => Finish(new ConnectionLostException(reason));

    protected void Post(byte[] name, in CallOptions options, CancellationToken cancellation)
    {
        _name = name;
        _options = options;
        _cancellation = cancellation;
        Connection.Loop.Post(this);
    }

    /// <summary>A chunk of the answer.</summary>
    protected abstract void OnData(in Payload data);

    /// <summary>Writes a chunk of the request.</summary>
    protected void WriteChunk(ReadOnlySpan<byte> chunk)
    {
        if (_seal is null)
        {
            MessageWriter.WriteChunk(Connection.Output, Channel, new Payload(chunk), bin: true);
        }
        else
        {
            _seal.Write(Channel, chunk, isLast: false);
        }
    }

    /// <summary>Writes the last chunk of the request, which may be empty, and its end.</summary>
    protected void WriteEnd(ReadOnlySpan<byte> chunk)
    {
        if (_seal is not null)
        {
            _seal.Write(Channel, chunk, isLast: true);
        }
        else if (!chunk.IsEmpty)
        {
            MessageWriter.WriteChunk(Connection.Output, Channel, new Payload(chunk), bin: true);
        }

        MessageWriter.WriteClose(Connection.Output, Channel);
    }

    /// <summary>The parts of the opening message.</summary>
    protected virtual void WriteRequest()
    {
    }

    /// <summary>The call has ended; the channel is closed and no more messages come.</summary>
    protected abstract void OnFinished(Exception? failure);

    /// <summary>On the loop: ends a call that has not ended, and tells the node.</summary>
    protected void GiveUp(Exception failure)
    {
        if (Channel != 0 && Connection.Forget(Channel))
        {
            MessageWriter.WriteError(Connection.Output, Channel, ErrorCodes.FrameworkCategory, 1, "the client gave up"u8);
            Connection.ScheduleSend();
            Finish(failure);
        }
    }

    private void Finish(Exception? failure)
    {
        Channel = 0;
        Connection.Loop.Timers.Cancel(_timer);
        _registration.Dispose(); // waits for a cancellation that asks at this moment: it must not read the channel of another call
        _registration = default;
        OnFinished(failure);
    }

    private sealed class DeadlineTimer(CallBase call) : WheelTimer
    {
        public override void OnDue(long nowMs) =>
            call.GiveUp(new CocaineException(ErrorCodes.Category, ErrorCodes.DeadlineError, "the deadline passed and the node is silent"));
    }

    /// <summary>
    /// A cancellation on its way to the loop. It names its channel, because the call may serve another channel when the cancellation
    /// arrives.
    /// </summary>
    private sealed class CancelWork(CallBase call) : LoopWork
    {
        private ulong _for;
        private int _posted;

        public void Ask()
        {
            if (Interlocked.Exchange(ref _posted, 1) == 0)
            {
                _for = call.Channel;
                call.Connection.Loop.Post(this);
            }
        }

        public override void Run()
        {
            ulong channel = _for;
            Volatile.Write(ref _posted, 0); // after _for is read: from here on another thread may ask again
            if (channel == call.Channel)
            {
                call.GiveUp(new OperationCanceledException("the call was cancelled"));
            }
        }
    }
}
