using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>
/// One client. It sends requests of all kinds, and checks that each gets exactly one outcome with the right answer. On the load's loop.
/// </summary>
internal sealed class ChaosConnection(EventLoop loop, ServerSocket server, ChaosLoad load, int number, int burst = 0)
    : MessageConnection(loop, server.Descriptor, ProtocolLimits.Default)
{
    private readonly Dictionary<ulong, Flight> _open = [];
    private readonly List<ulong> _unfinished = [];
    private ulong _lastChannel;
    private ulong _fence;                   // the channel of an info call, 0 for none
    private TaskCompletionSource? _fenced;

    /// <summary>The beginning of the error of a job whose app has no slave and cannot start one.</summary>
    private static ReadOnlySpan<byte> NoSlave => "the app cannot be started"u8;

    public int Number { get; } = number;

    public int InFlight => _open.Count;

    /// <summary>The connection sends a burst and ends; it sends no further requests.</summary>
    public bool IsBurst => burst > 0;

    /// <summary>The client ended the connection, or half of it: requests under way are lost with it.</summary>
    public bool IsEnding { get; private set; }

    public void Begin()
    {
        server.Open(this);
        for (int i = 0; i < burst; i++)
        {
            Send(plain: true);
        }
    }

    /// <summary>Sends one more request. Plain requests are small, whole and without wishes.</summary>
    public void Send(bool plain)
    {
        Random random = load.Random;
        bool first = _lastChannel == 0;
        ulong channel = ++_lastChannel;
        int kind = plain ? 1000 : random.Next(1000); // mostly small, some larger than a record of the pipe, few larger than the pipe
        int size = kind >= 100 ? random.Next(Flight.HeadBytes, 512)
            : kind >= 5 ? random.Next(512, 64 << 10) : random.Next(64 << 10, Flight.MaxSizeBytes);
        Flight flight = new(Number, load.NextNumber++, size) { SentNs = Clock.NowNs };
        Span<byte> headers = stackalloc byte[CallOptions.MaxEncodedBytes];
        int headersLength = plain ? 0 : Wishes(random).Encode(headers);
        MessageWriter.WriteEnqueue(Output, channel, load.Event, headers[..headersLength], first);
        int now = !plain && random.Next(10) == 0 ? random.Next(0, flight.SizeBytes) : flight.SizeBytes;
        WriteBody(channel, flight, 0, now);
        flight.RestBytes = flight.SizeBytes - now;
        if (flight.RestBytes > 0)
        {
            _unfinished.Add(channel);
        }
        else
        {
            MessageWriter.WriteClose(Output, channel);
        }

        _open.Add(channel, flight);
        if (!plain && random.Next(50) == 0)
        {
            Cancel(channel, flight);
        }

        ScheduleSend();
    }

    /// <summary>Sends the rest of a request that was begun.</summary>
    public void FinishRequests()
    {
        foreach (ulong channel in _unfinished)
        {
            if (_open.TryGetValue(channel, out Flight? flight) && !flight.IsCancelled)
            {
                WriteBody(channel, flight, flight.SizeBytes - flight.RestBytes, flight.RestBytes);
                flight.RestBytes = 0;
                MessageWriter.WriteClose(Output, channel);
                ScheduleSend();
            }
        }

        _unfinished.Clear();
    }

    /// <summary>Closes the connection without a message.</summary>
    public void Drop()
    {
        IsEnding = true;
        Close("dropped");
    }

    /// <summary>Closes the client's side only.</summary>
    public void HalfClose()
    {
        IsEnding = true;
        _ = Transport.Linux.LibC.shutdown(Descriptor, 1);
    }

    /// <summary>Completes when the node has taken all requests that were sent before.</summary>
    public Task FenceAsync()
    {
        FinishRequests();
        _fenced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _fence = ++_lastChannel;
        MessageWriter.WriteEmpty(Output, _fence, 1);
        ScheduleSend();
        return _fenced.Task;
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Channel == _fence && _fenced is not null)
        {
            _fenced.TrySetResult();
            _fenced = null;
            return;
        }

        if (!_open.TryGetValue(layout.Channel, out Flight? flight))
        {
            load.Ledger.Fault($"connection {Number}: a message of type {layout.Type} on channel {layout.Channel}, which is "
                + (layout.Channel <= _lastChannel ? "answered already" : "not open"));
            return;
        }

        if (layout.Type == MessageType.Chunk)
        {
            flight.Check(message.Data);
            return;
        }

        _open.Remove(layout.Channel);
        if (layout.Type == MessageType.Error)
        {
            string code = layout.Category == ErrorCodes.Category ? $"error {layout.Code}" : $"error {layout.Category}/{layout.Code}";
            load.Ledger.Outcome(flight.IsCancelled ? "cancelled" : code);
            if (layout.Code == ErrorCodes.ServerError && message.Text.StartsWith(NoSlave))
            {
                load.Ledger.NoSlave();
            }
        }
        else
        {
            OnDone(flight);
        }

        load.OnOutcome(this, failed: layout.Type == MessageType.Error);
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) =>
        load.Ledger.Fault($"connection {Number}: the node sent what is no message: {problem}");

    protected override void OnClosed(string reason)
    {
        _fenced?.TrySetResult();
        if (!IsEnding && !load.NodeMayEnd)
        {
            load.Ledger.Fault($"connection {Number} was closed by the node with {_open.Count} requests under way: {reason}");
        }
        else if (load.NodeDrains && !IsEnding)
        {
            foreach (Flight flight in _open.Values)
            {
                load.Ledger.Fault($"{flight.Name} was lost by a node that was told to stop");
            }
        }

        for (int i = 0; i < _open.Count; i++)
        {
            load.Ledger.Outcome("lost with its connection");
        }

        load.OnClosed(this);
    }

    /// <summary>Names of the requests that have no outcome yet.</summary>
    public IEnumerable<string> Unanswered(long nowNs) =>
        _open.Values.Select(flight => $"{flight.Name} has no outcome after {(nowNs - flight.SentNs) / 1_000_000_000} s");

    private static CallOptions Wishes(Random random) => new()
    {
        Deadline = random.Next(4) switch
        {
            0 => TimeSpan.FromMilliseconds(random.Next(1, 50)),
            1 or 2 => TimeSpan.FromSeconds(random.Next(1, 10)),
            _ => null,
        },
        Timeout = random.Next(8) == 0 ? TimeSpan.FromSeconds(random.Next(1, 10)) : null,
        Urgent = random.Next(10) == 0,
        RetryLimit = random.Next(10) == 0 ? random.Next(0, 4) : null,
    };

    private void OnDone(Flight flight)
    {
        if (!load.Echoes || flight.IsRight)
        {
            load.Ledger.Done(Clock.NowNs - flight.SentNs);
        }
        else if (flight.HasScribble && load.Ledger.ScribbledMs > 0)
        {
            load.Ledger.Outcome("spoiled by a scribble"); // a worker can answer with any bytes after a scribble
        }
        else
        {
            load.Ledger.Fault($"{flight.Name} got an answer that is not its own ({flight.ReceivedBytes} bytes)");
        }
    }

    private void WriteBody(ulong channel, Flight flight, int start, int length)
    {
        int pieces = load.Random.Next(8) == 0 ? 3 : 1;
        for (int i = 0; i < pieces && length > 0; i++)
        {
            int part = i == pieces - 1 ? length : length / 2;
            MessageWriter.WriteChunk(Output, channel, new Payload(flight.Body(start, part)), bin: true);
            start += part;
            length -= part;
        }
    }

    private void Cancel(ulong channel, Flight flight)
    {
        flight.IsCancelled = true;
        MessageWriter.WriteError(Output, channel, 1000, 400, "changed my mind"u8);
    }
}
