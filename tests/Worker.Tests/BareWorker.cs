using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Worker.Serving;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>
/// The loop of a .NET slave on a thread of the test, and its node, which is the test: nothing moves on the node's side but in
/// <see cref="Until"/>.
/// </summary>
internal abstract class BareWorker : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Dictionary<ulong, string> _answers = [];
    private readonly HashSet<ulong> _ended = [];
    private Thread _thread = null!;
    private WorkerExit? _exit; // once the thread has ended

    /// <summary>Both sides know flow control of one channel.</summary>
    private bool HasFlow { get; init; }

    public string Uuid { get; } = $"{Guid.NewGuid()}";

    /// <summary>Heartbeats of the worker so far.</summary>
    public int Heartbeats { get; private set; }

    /// <summary>Bytes for the worker that it has had no room for.</summary>
    public abstract int Unsent { get; }

    /// <summary>Where messages to the worker are written.</summary>
    protected abstract MessageSink Sink { get; }

    protected static int HeartbeatMs => 20;

    public static BareWorker Start(bool onRings, Type app, bool hasFlow = false, int mostBegun = 1)
    {
        BareWorker worker = onRings ? new OnRings(mostBegun) { HasFlow = hasFlow } : new OnSocket { HasFlow = hasFlow };
        AppHost host = AppHost.FromType(app, new AppIdentity("app", worker.Uuid));
        worker._thread = new Thread(() => worker._exit = worker.Serve(host)) { IsBackground = true };
        worker._thread.Start();
        return worker;
    }

    public void Invoke(ulong channel, string name)
    {
        _answers[channel] = "";
        MessageWriter.WriteInvoke(Sink, channel, Encoding.UTF8.GetBytes(name), default);
    }

    public void Send(ulong channel, byte[] chunk) => MessageWriter.WriteChunk(Sink, channel, new Payload(chunk), bin: true);

    public void Close(ulong channel) => MessageWriter.WriteClose(Sink, channel);

    public string Answer(ulong channel) => _answers[channel];

    public bool HasEnded(ulong channel) => _ended.Contains(channel);

    /// <summary>Sends and receives until it is so.</summary>
    public void Until(Func<bool> isSo)
    {
        for (Stopwatch watch = Stopwatch.StartNew(); !isSo();)
        {
            Assert.True(watch.Elapsed < Limit, $"after {Heartbeats} heartbeats {Unsent} bytes are left");
            Push();
            Receive();
        }
    }

    /// <summary>Asks the worker to end, and waits for it.</summary>
    public void Terminate()
    {
        Until(() => Unsent == 0);
        MessageWriter.WriteTerminate(Sink, 0, "");
        Push();
        Assert.True(_thread.Join(Limit));
        Assert.Equal(WorkerExit.Terminated, _exit);
    }

    public void Dispose()
    {
        Abandon();
        Assert.True(_thread.Join(Limit));
        DisposeAll();
    }

    /// <summary>Sends what the worker has room for.</summary>
    public abstract void Push();

    /// <summary>Ends the worker's loop if it has not ended.</summary>
    protected abstract void Abandon();

    protected abstract void DisposeAll();

    /// <summary>The worker's thread.</summary>
    protected abstract WorkerExit Serve(AppHost app);

    /// <summary>Takes what has come, and waits for more or for room when there was nothing; a heartbeat comes at least.</summary>
    protected abstract void Receive();

    /// <summary>Takes the whole messages at the front. Returns their bytes.</summary>
    protected int Take(ReadOnlySpan<byte> bytes)
    {
        int taken = 0;
        while (MessageDecoder.Decode(bytes[taken..], ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
        {
            MessageView message = new(in layout, bytes[taken..]);
            taken += layout.TotalBytes;
            if (layout.Channel == MessageWriter.ControlChannel)
            {
                Heartbeats++;
            }
            else if (layout.Type == MessageType.Chunk)
            {
                _answers[layout.Channel] += Encoding.UTF8.GetString(message.Data.ToArray());
            }
            else
            {
                _ended.Add(layout.Channel);
            }
        }

        return taken;
    }

    private sealed class OnRings : BareWorker
    {
        private readonly Segment _segment;
        private readonly EventDescriptor _nodeBell = new();
        private readonly EventDescriptor _slaveBell = new();
        private readonly Epoll _epoll = new();
        private readonly ByteRingWriter _writer;
        private readonly ByteRingReader _reader;
        private volatile RingWorker _loop = null!; // before the first heartbeat

        public OnRings(int mostBegun)
        {
            _segment = Segment.Create(1 << 20, 1, 0, shared: false, mostBegun);
            _writer = new ByteRingWriter(_segment.Requests);
            _reader = new ByteRingReader(_segment.Responses);
            _epoll.Watch(_nodeBell.Descriptor, Epoll.In | Epoll.EdgeTriggered, 0);
        }

        public override int Unsent => _writer.OverflowBytes;

        protected override MessageSink Sink => _writer;

        protected override void Abandon() => _loop.Abandon();

        protected override void DisposeAll()
        {
            _epoll.Dispose();
            _nodeBell.Dispose();
            _slaveBell.Dispose();
            _segment.Dispose();
        }

        protected override WorkerExit Serve(AppHost app)
        {
            _loop = new RingWorker(app, _segment, _slaveBell, _nodeBell, HasFlow) { HeartbeatMs = HeartbeatMs };
            return _loop.Run();
        }

        public override void Push()
        {
            _writer.DrainOverflow();
            if (_writer.Publish())
            {
                _slaveBell.Ring();
            }
        }

        protected override void Receive()
        {
            while (_reader.TryRead(out ReadOnlySpan<byte> payload, out _) == RingRead.Record)
            {
                Assert.Equal(payload.Length, Take(payload));
            }

            if (_reader.Release())
            {
                _slaveBell.Ring();
            }

            if (_reader.TryPark())
            {
                if (Unsent == 0 || _writer.TryWaitForRoom())
                {
                    _epoll.Wait((int)Limit.TotalMilliseconds);
                }

                _reader.Unpark();
            }
        }
    }

    private sealed class OnSocket : BareWorker
    {
        private readonly MemorySink _output = new();
        private readonly Socket _node = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly Socket _worker;
        private readonly Epoll _epoll = new();
        private readonly byte[] _input = new byte[1 << 16];
        private int _sent;
        private int _received; // bytes of _input

        public OnSocket()
        {
            string path = Path.Combine(Path.GetTempPath(), $"worker-{Guid.NewGuid():N}");
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            _node.Connect(new UnixDomainSocketEndPoint(path));
            _worker = listener.Accept();
            File.Delete(path);
            _node.Blocking = _worker.Blocking = false;
            _epoll.Watch((int)_node.Handle, Epoll.In, 0);
        }

        public override int Unsent => _output.Written.Length - _sent;

        protected override MessageSink Sink => _output;

        protected override void Abandon() => _node.Dispose();

        protected override void DisposeAll()
        {
            _epoll.Dispose();
            _worker.Dispose();
        }

        protected override WorkerExit Serve(AppHost app)
        {
            return new SocketWorker((int)_worker.Handle, app, HasFlow, page: null) { HeartbeatMs = HeartbeatMs }.Run();
        }

        public override void Push()
        {
            if (Unsent > 0)
            {
                _sent += _node.Send(_output.Written[_sent..], SocketFlags.None, out _);
            }
        }

        protected override void Receive()
        {
            _epoll.Change((int)_node.Handle, Unsent > 0 ? Epoll.In | Epoll.Out : Epoll.In, 0);
            _epoll.Wait((int)Limit.TotalMilliseconds);
            int count = _node.Receive(_input.AsSpan(_received), SocketFlags.None, out _);
            _received += count;
            int taken = Take(_input.AsSpan(0, _received));
            _input.AsSpan(taken, _received - taken).CopyTo(_input);
            _received -= taken;
        }
    }
}
