using System.Buffers;
using System.Threading.Tasks.Sources;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client;

/// <summary>
/// One call with one request and one answer. Pooled: it is its own posted work, its own task source and its own thread-pool item, so a
/// call allocates
/// nothing.
/// </summary>
/// <remarks>
/// The caller's thread sets it up and posts it; the loop alone touches it until it is done; then the awaiting side takes the result and
/// gives it back. The post and
/// the thread pool's queue are the fences between these three.
/// </remarks>
internal sealed class UnaryCall : LoopWork, IValueTaskSource<int>, IThreadPoolWorkItem, IChannelOwner
{
    /// <summary>Past its deadline the node has this long to say so itself.</summary>
    private const int DeadlineSlackMs = 1000;

    private readonly CocaineClient _client;
    private readonly DeadlineTimer _timer;
    private readonly CancelWork _cancel;
    private ManualResetValueTaskSourceCore<int> _source;
    private byte[] _name = [];
    private ReadOnlyMemory<byte> _request;
    private IBufferWriter<byte> _answer = null!;
    private CallOptions _options;
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private ulong _channel;        // 0 before it is open and after it has ended
    private int _answerBytes;
    private Exception? _failure;

    public UnaryCall(CocaineClient client)
    {
        _client = client;
        _timer = new DeadlineTimer(this);
        _cancel = new CancelWork(this);
    }

    public ValueTask<int> Begin(byte[] name, ReadOnlyMemory<byte> request, IBufferWriter<byte> answer, in CallOptions options, CancellationToken cancellation)
    {
        _source.Reset();
        _name = name;
        _request = request;
        _answer = answer;
        _options = options;
        _cancellation = cancellation;
        _answerBytes = 0;
        _failure = null;
        ValueTask<int> task = new(this, _source.Version);
        _client.Loop.Post(this);
        return task;
    }

    /// <summary>On the loop: sends the call.</summary>
    public override void Run()
    {
        ClientConnection connection = _client.Connection;
        if (connection.Ended is { } reason)
        {
            OnLost(reason);
            return;
        }

        if (_cancellation.IsCancellationRequested)
        {
            Complete(new OperationCanceledException(_cancellation));
            return;
        }

        Span<byte> headers = stackalloc byte[CallOptions.MaxEncodedBytes];
        bool first = connection.IsFirst;
        _channel = connection.Open(this);
        MessageWriter.WriteEnqueue(connection.Output, _channel, _name, headers[.._options.Encode(headers)], first);
        if (!_request.IsEmpty)
        {
            MessageWriter.WriteChunk(connection.Output, _channel, new Payload(_request.Span), bin: true);
        }

        MessageWriter.WriteClose(connection.Output, _channel);
        connection.ScheduleSend();
        if (_options.Deadline is { } deadline)
        {
            _client.Loop.Timers.Arm(_timer, _client.Loop.NowMs + (long)deadline.TotalMilliseconds + DeadlineSlackMs);
        }

        if (_cancellation.CanBeCanceled)
        {
            _registration = _cancellation.UnsafeRegister(static call => ((UnaryCall)call!)._cancel.Ask(), this);
        }
    }

    public void OnChunk(in MessageView message)
    {
        Payload data = message.Data;
        if (message.Layout.Shape != ArgumentShape.Data)
        {
            data = new Payload(message.Arguments);
        }

        Span<byte> to = _answer.GetSpan(Math.Max(1, data.Length));
        data.CopyTo(to);
        _answer.Advance(data.Length);
        _answerBytes += data.Length;
    }

    public void OnClosed() => Complete(null);

    public void OnError(int category, int code, string reason) => Complete(new CocaineException(category, code, reason));

    public void OnLost(string reason) => Complete(new ConnectionLostException(reason));

    void IThreadPoolWorkItem.Execute() => Publish();

    int IValueTaskSource<int>.GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _request = default;
            _answer = null!;
            _cancellation = default;
            _client.Return(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Complete(Exception? failure)
    {
        _channel = 0;
        _failure = failure;
        _client.Loop.Timers.Cancel(_timer);
        _registration.Unregister();
        if (_client.Options.UnsafeInlineContinuations)
        {
            Publish();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Publish()
    {
        if (_failure is null)
        {
            _source.SetResult(_answerBytes);
        }
        else
        {
            _source.SetException(_failure);
        }
    }

    private void GiveUp(Exception failure)
    {
        if (_channel != 0 && _client.Connection.Forget(_channel))
        {
            MessageWriter.WriteError(_client.Connection.Output, _channel, ErrorCodes.FrameworkCategory, 1, "the client gave up"u8);
            _client.Connection.ScheduleSend();
            Complete(failure);
        }
    }

    private sealed class DeadlineTimer(UnaryCall call) : WheelTimer
    {
        public override void OnDue(long nowMs) =>
            call.GiveUp(new CocaineException(ErrorCodes.Category, ErrorCodes.DeadlineError, "the deadline passed and the node is silent"));
    }

    /// <summary>
    /// A cancellation on its way to the loop. It names the channel it is for: by the time it comes, the call may serve another.
    /// </summary>
    private sealed class CancelWork(UnaryCall call) : LoopWork
    {
        private ulong _for;
        private int _posted;

        public void Ask()
        {
            if (Interlocked.Exchange(ref _posted, 1) == 0)
            {
                _for = Volatile.Read(ref call._channel);
                call._client.Loop.Post(this);
            }
        }

        public override void Run()
        {
            Volatile.Write(ref _posted, 0);
            if (_for == call._channel)
            {
                call.GiveUp(new OperationCanceledException("the call was cancelled"));
            }
        }
    }
}
