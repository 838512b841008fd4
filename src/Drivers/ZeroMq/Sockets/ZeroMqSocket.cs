using System.Collections.Concurrent;
using System.Net;
using System.Numerics;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>How a socket is made.</summary>
/// <param name="Make">Makes the NetMQ socket.</param>
/// <param name="Endpoints">The endpoints that it listens on, or connects to.</param>
/// <param name="Connects">It connects.</param>
/// <param name="HighWaterMark">Messages that may wait for each peer, each way.</param>
/// <param name="LingerMs">How long unsent messages are kept when it is closed.</param>
internal sealed record ZeroMqSocketOptions(
    Func<NetMQSocket> Make, IReadOnlyList<string> Endpoints, bool Connects, int HighWaterMark, int LingerMs);

/// <summary>
/// A ZeroMQ socket as a loop sees it: batches of messages come from the poller's thread, and go there. The NetMQ socket itself is only
/// touched by that thread.
/// </summary>
internal sealed class ZeroMqSocket
{
    /// <summary>Batches on their way at once: one is filled while others are read, and a held one does not stop the rest.</summary>
    private const int Batches = 4;

    /// <summary>Most bytes that the loop has written and the poller not sent. The poller never waits, so it gets near this only when it
    /// is kept from running at all.</summary>
    private const long MaxUnsentBytes = 64 << 20;

    /// <summary>Bytes after which a batch is sent before the turn ends.</summary>
    private const int FullBytes = 1 << 20;

    /// <summary>The cost of a frame beside its bytes.</summary>
    private const int FrameCostBytes = 64;

    /// <summary>Given to messages that were just sent when a socket closes, so that the answers of a drain reach peers that read.</summary>
    private const int MinLingerMs = 1000;

    private readonly ZeroMqPoller _poller;
    private readonly EventLoop _loop;
    private readonly string _name;
    private readonly Action<MessageBatch>? _received;
    private readonly Action<long>? _dropped;
    private readonly ILogger _log;
    private readonly ConcurrentQueue<MessageBatch> _free = new();
    private readonly ConcurrentQueue<OutgoingMessages> _sent = new();
    private readonly ResumeWork _resume;
    private readonly SendTask _sendTask;
    private NetMQSocket? _socket;    // the poller's, from Open to Close
    private bool _attached;          // the poller's: it is woken when the socket can be read
    private bool _stopped;           // the poller's: it reads no more
    private int _reading;            // one of the states below
    private OutgoingMessages? _filling;     // the loop's
    private long _unsentBytes;
    private long _droppedMessages;

    // How the socket is read. Reading: the poller takes batches. Paused (by the poller): there was no free batch. Resuming (by the
    // loop, which has given one back): the poller was asked to go on and has not done so yet.
    private const int Reading = 0, Paused = 1, Resuming = 2;

    /// <param name="received">Gets each batch on the loop, and gives it back with <see cref="Return"/>; null for what only sends.</param>
    /// <param name="dropped">Told on the poller's thread how many messages were dropped, all in all, when that is a power of two.</param>
    public ZeroMqSocket(
        ZeroMqPoller poller, EventLoop loop, string name, ILogger log, Action<MessageBatch>? received, Action<long>? dropped)
    {
        _poller = poller;
        _loop = loop;
        _name = name;
        _log = log;
        _received = received;
        _dropped = dropped;
        _resume = new ResumeWork(this);
        _sendTask = new SendTask(this);
        for (int i = 0; i < Batches && received is not null; i++)
        {
            _free.Enqueue(new MessageBatch(this));
        }
    }

    /// <summary>Where it listens, as peers write it; empty when it connects.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <summary>Messages that were not sent: the peer is gone, or its high-water mark was reached.</summary>
    public long Dropped => Volatile.Read(ref _droppedMessages);

    /// <summary>Binds or connects; on the loop. When it throws, nothing stays open.</summary>
    /// <exception cref="IOException">An endpoint cannot be used.</exception>
    public void Open(ZeroMqSocketOptions options)
    {
        // Names are resolved here, so that a slow name server holds up this app alone.
        List<(string Endpoint, IReadOnlyList<IPEndPoint> Addresses)> at = [.. options.Endpoints.Select(endpoint => (endpoint,
            options.Connects ? [ZeroMqEndpoint.ToConnect(endpoint)] : ZeroMqEndpoint.ToListen(endpoint)))];
        _poller.Invoke(() =>
        {
            NetMQSocket socket = options.Make();
            try
            {
                socket.Options.SendHighWatermark = socket.Options.ReceiveHighWatermark = options.HighWaterMark;
                socket.Options.Linger = TimeSpan.FromMilliseconds(Math.Max(MinLingerMs, options.LingerMs));
                socket.Options.MaxMsgSize = ProtocolLimits.Default.MaxMessageBytes;
                socket.Options.IPv4Only = false;
                List<string> bound = [];
                foreach ((string endpoint, IReadOnlyList<IPEndPoint> addresses) in at)
                {
                    if (options.Connects)
                    {
                        socket.Connect(Endpoint.Describe(addresses[0]));
                    }
                    else
                    {
                        bound.AddRange(ZeroMqEndpoint.Bind(socket, endpoint, addresses));
                    }
                }

                Endpoints = bound;
            }
            catch
            {
                socket.Options.Linger = TimeSpan.Zero;
                socket.Dispose();
                throw;
            }

            _socket = socket;
            Attach();
            _poller.Add(socket);
        });
    }

    /// <summary>Gives a batch back for another filling; on the loop.</summary>
    public void Return(MessageBatch batch)
    {
        batch.Clear();
        _free.Enqueue(batch);

        // The enqueue is before this exchange, a full fence; other half: in TakeFree, the exchange before the second look at the queue.
        if (Interlocked.CompareExchange(ref _reading, Resuming, Paused) == Paused)
        {
            _poller.Post(_resume);
        }
    }

    /// <summary>Reads no more; on the loop. Messages that are read already still come.</summary>
    public void StopReceiving() => _poller.Post(new ActionWork(() =>
    {
        _stopped = true;
        Detach();
    }));

    /// <summary>Sends what was written and closes; on the loop.</summary>
    public void Close()
    {
        PostFilling();
        _poller.Post(new ActionWork(() =>
        {
            if (_socket is not { } socket)
            {
                return;
            }

            _stopped = true;
            Detach();
            _socket = null;
            try
            {
                _poller.Remove(socket);
                socket.Dispose();
            }
            catch (NetMQException failure)
            {
                ZeroMqLog.CloseFailed(_log, _name, failure.Message);
            }
        }));
    }

    /// <summary>
    /// Begins a message: the frames of its route and an empty one. False when the poller is too far behind: the message is dropped,
    /// which the route notes.
    /// </summary>
    public bool TryBegin(Route? route)
    {
        if (Volatile.Read(ref _unsentBytes) > MaxUnsentBytes)
        {
            route?.NoteDropped();
            CountDropped(1);
            return false;
        }

        if (_filling is { Bytes: > FullBytes })
        {
            PostFilling(); // the poller may begin while this turn goes on
        }

        if (_filling is null)
        {
            _filling = _sent.TryDequeue(out OutgoingMessages? used) ? used : new OutgoingMessages(this);
            _loop.ScheduleSend(_sendTask);
        }

        if (route is null)
        {
            return true;
        }

        for (int i = 0; i < route.Hops.Length; i++)
        {
            AddShared(route.Hops[i], more: true, i == 0 ? route : null);
        }

        AddShared([], more: true);
        return true;
    }

    /// <summary>Adds a copy of some bytes as a frame.</summary>
    public void Add(ReadOnlySpan<byte> bytes, bool more) => AddShared(bytes.ToArray(), more);

    /// <summary>Adds a frame whose bytes nobody changes any more.</summary>
    public void AddShared(byte[] bytes, bool more, Route? route = null)
    {
        Msg frame = default;
        frame.InitGC(bytes, bytes.Length);
        _filling!.Add(ref frame, more, route);
    }

    /// <summary>A batch comes to the loop.</summary>
    internal void OnBatch(MessageBatch batch) => _received!(batch);

    /// <summary>Sends a batch; on the poller's thread.</summary>
    internal void SendAll(OutgoingMessages batch)
    {
        Interlocked.Add(ref _unsentBytes, -CostOf(batch));
        if (_socket is { } socket)
        {
            long dropped = batch.Send(socket);
            if (dropped > 0)
            {
                CountDropped(dropped);
            }
        }

        batch.Clear();
        if (_sent.Count < Batches)
        {
            _sent.Enqueue(batch); // more are made in a burst only
        }
    }

    private static long CostOf(OutgoingMessages batch) => batch.Bytes + ((long)batch.Frames * FrameCostBytes);

    private void CountDropped(long count)
    {
        long total = Interlocked.Add(ref _droppedMessages, count); // a counter: nothing is published with it
        if (BitOperations.Log2((ulong)total) != BitOperations.Log2((ulong)(total - count)) || total == count)
        {
            _dropped?.Invoke(total);
        }
    }

    private void PostFilling()
    {
        if (_filling is { } batch)
        {
            _filling = null;
            Interlocked.Add(ref _unsentBytes, CostOf(batch)); // its other half is the subtraction in SendAll
            _poller.Post(batch);
        }
    }

    private void OnReceiveReady(object? sender, NetMQSocketEventArgs args)
    {
        try
        {
            Receive();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _poller.Report(fault);
        }
    }

    private void Receive()
    {
        if (TakeFree() is not { } batch)
        {
            Detach();
            return;
        }

        batch.Fill(_socket!);
        if (batch.IsEmpty)
        {
            _free.Enqueue(batch);
        }
        else
        {
            _loop.Post(batch);
        }
    }

    private MessageBatch? TakeFree()
    {
        if (_free.TryDequeue(out MessageBatch? batch))
        {
            return batch;
        }

        // A full fence between the word and the second look; other half: in Return, the exchange after the enqueue. One of the two sees
        // the other: either the batch is found here, or the loop finds Paused and asks to go on.
        Interlocked.CompareExchange(ref _reading, Paused, Reading);
        if (!_free.TryDequeue(out batch))
        {
            return null;
        }

        Interlocked.CompareExchange(ref _reading, Reading, Paused); // when it is Resuming by now, Resume does it
        return batch;
    }

    private void Resume()
    {
        Volatile.Write(ref _reading, Reading); // read by the exchange in Return; the batches are looked at after this, by Receive
        Attach();
    }

    private void Attach()
    {
        if (!_attached && !_stopped && _received is not null && _socket is { } socket)
        {
            _attached = true;
            socket.ReceiveReady += OnReceiveReady;
        }
    }

    private void Detach()
    {
        if (_attached && _socket is { } socket)
        {
            _attached = false;
            socket.ReceiveReady -= OnReceiveReady;
        }
    }

    private sealed class ResumeWork(ZeroMqSocket socket) : LoopWork
    {
        public override void Run() => socket.Resume();
    }

    private sealed class SendTask(ZeroMqSocket socket) : TurnTask
    {
        public override void OnTurnEnd() => socket.PostFilling();
    }
}
