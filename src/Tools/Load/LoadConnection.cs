using System.Buffers.Binary;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Tools.Load;

/// <summary>The common parts of the connections of one load; on one loop.</summary>
internal sealed class LoadPlan(byte[] name, int inFlight, int sizeBytes)
{
    /// <summary>A request starts with its number.</summary>
    public const int NumberBytes = 8;

    public byte[] Name { get; } = name;

    public int InFlight { get; } = inFlight;

    public int SizeBytes { get; } = Math.Max(sizeBytes, NumberBytes);

    /// <summary>The bytes after the number in every request.</summary>
    public byte[] Pattern { get; } = [.. Enumerable.Range(0, Math.Max(sizeBytes, NumberBytes)).Select(i => (byte)(i * 31))];

    /// <summary>An encoded headers array for every request; empty for none.</summary>
    public byte[] Headers { get; init; } = [];

    /// <summary>Gets the time of every answer, ns.</summary>
    public required Action<long> OnAnswer { get; init; }

    public Dictionary<string, long> Errors { get; } = [];

    public ulong NextNumber { get; set; }

    /// <summary>Answers that do not match their requests.</summary>
    public long Mismatches { get; set; }

    /// <summary>The connections send no new requests.</summary>
    public bool IsOver { get; set; }

    public int OpenConnections { get; set; }

    public void Count(string error) => Errors[error] = Errors.GetValueOrDefault(error) + 1;
}

/// <summary>One connection of a load: keeps the wanted number of requests in flight, and checks every answer against its request.</summary>
internal sealed class LoadConnection : MessageConnection
{
    private readonly LoadPlan _plan;
    private readonly Flight[] _slots;   // by channel number; a power of two, larger than the number in flight
    private readonly byte[] _request;
    private ulong _channel;
    private int _inFlight;

    public LoadConnection(EventLoop loop, int descriptor, LoadPlan plan)
        : base(loop, descriptor, ProtocolLimits.Default)
    {
        _plan = plan;
        _slots = new Flight[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)plan.InFlight * 2)];
        _request = [.. plan.Pattern];
    }

    /// <summary>Opens a connection without TLS and sends the first requests.</summary>
    public void Begin() => Begin(new ServerSocket(Descriptor, null, []));

    /// <summary>Opens the connection and sends the first requests.</summary>
    public void Begin(in ServerSocket server)
    {
        _plan.OpenConnections++;
        server.Open(this);
        for (int i = 0; i < _plan.InFlight; i++)
        {
            Send();
        }
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ref Flight slot = ref _slots[layout.Channel & (ulong)(_slots.Length - 1)];
        if (slot.Channel != layout.Channel)
        {
            _plan.Mismatches++;
            return;
        }

        if (layout.Type == MessageType.Chunk)
        {
            Check(ref slot, message.Data);
            return;
        }

        if (layout.Type == MessageType.Error)
        {
            _plan.Count(layout.Category == ErrorCodes.Category ? $"{layout.Code}" : $"{layout.Category}/{layout.Code}");
        }
        else if (slot.Bad || slot.Received != _plan.SizeBytes)
        {
            _plan.Mismatches++;
        }
        else
        {
            _plan.OnAnswer(Clock.NowNs - slot.SentNs);
        }

        slot.Channel = 0;
        _inFlight--;
        Send();
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) => _plan.Count("malformed");

    protected override void OnClosed(string reason)
    {
        _plan.OpenConnections--;
        for (int i = 0; i < _inFlight; i++)
        {
            _plan.Count("lost");
        }
    }

    private void Send()
    {
        if (_plan.IsOver)
        {
            if (_inFlight == 0)
            {
                Close("the load is over");
            }

            return;
        }

        bool first = _channel == 0;
        ulong mask = (ulong)(_slots.Length - 1);
        do
        {
            _channel++; // numbers only have to grow: skips those whose slot is still taken
        }
        while (_slots[_channel & mask].Channel != 0);

        ulong number = _plan.NextNumber++;
        BinaryPrimitives.WriteUInt64LittleEndian(_request, number);
        _slots[_channel & mask] = new Flight { Channel = _channel, Number = number, SentNs = Clock.NowNs };
        MessageWriter.WriteEnqueue(Output, _channel, _plan.Name, _plan.Headers, first);
        MessageWriter.WriteChunk(Output, _channel, new Payload(_request), bin: true);
        MessageWriter.WriteClose(Output, _channel);
        _inFlight++;
        ScheduleSend();
    }

    private void Check(ref Flight slot, in Payload data)
    {
        if (data.IsContiguous && slot.Received == 0 && data.Length == _plan.SizeBytes)
        {
            slot.Bad = BinaryPrimitives.ReadUInt64LittleEndian(data.Span) != slot.Number
                || !data.Span[LoadPlan.NumberBytes..].SequenceEqual(_plan.Pattern.AsSpan(LoadPlan.NumberBytes));
        }
        else
        {
            CheckParts(ref slot, in data);
        }

        slot.Received += data.Length;
    }

    /// <summary>Handles an answer in chunks, or one that lies across blocks.</summary>
    private void CheckParts(ref Flight slot, in Payload data)
    {
        if (slot.Received + data.Length > _plan.SizeBytes)
        {
            slot.Bad = true;
            return;
        }

        int at = slot.Received;
        if (data.IsContiguous)
        {
            CheckPart(ref slot, at, data.Span);
            return;
        }

        foreach (ReadOnlyMemory<byte> part in data.Sequence)
        {
            CheckPart(ref slot, at, part.Span);
            at += part.Length;
        }
    }

    private void CheckPart(ref Flight slot, int at, ReadOnlySpan<byte> part)
    {
        Span<byte> number = stackalloc byte[LoadPlan.NumberBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(number, slot.Number);
        for (; at < LoadPlan.NumberBytes && !part.IsEmpty; at++)
        {
            slot.Bad |= part[0] != number[at];
            part = part[1..];
        }

        slot.Bad |= !part.SequenceEqual(_plan.Pattern.AsSpan(at, part.Length));
    }

    private struct Flight
    {
        public ulong Channel;     // 0 when free
        public ulong Number;
        public long SentNs;
        public int Received;
        public bool Bad;
    }
}
