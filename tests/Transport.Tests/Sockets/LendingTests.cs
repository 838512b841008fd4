using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tests.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Sockets;

/// <summary>Messages in lent memory go out as they were when they were written, though the memory is used for something else afterwards.</summary>
public sealed unsafe class LendingTests : IDisposable
{
    private const int LentBytes = 1 << 20;

    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly Socket _peer = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
    private readonly byte* _lent = (byte*)NativeMemory.Alloc(LentBytes);

    public void Dispose()
    {
        _peer.Dispose();
        _loop.Dispose();
        NativeMemory.Free(_lent);
    }

    [Theory]
    [InlineData(1, 50)]
    [InlineData(2, 1)]
    [InlineData(3, 400)]
    public void Any_mix_of_messages_comes_in_order_through_a_socket_that_is_often_full(int seed, int perLoan)
    {
        Random random = new(seed);
        Writer writer = Open();
        List<byte[]> expected = [];
        for (int loan = 0; expected.Count < 1200; loan++)
        {
            OnLoopThread.Run(_loop, () => Lend(writer, random, expected, random.Next(1, perLoan + 1)));
            if (loan % 3 == 0)
            {
                Read(expected, random.Next(expected.Count - _read + 1)); // the peer is behind, so the socket is full
            }
        }

        Read(expected, expected.Count - _read);
        Assert.Equal(0, OnLoopThread.Run(_loop, () => writer.Output.PendingBytes));
        Assert.Equal(0, OnLoopThread.Run(_loop, () => _loop.Buffers.SizeBytes - _loop.Buffers.KeptBytes));
    }

    [Fact]
    public void A_connection_that_closes_within_a_loan_sends_what_was_written_and_borrows_no_more()
    {
        Writer writer = Open();
        OnLoopThread.Run(_loop, () =>
        {
            new Span<byte>(_lent, LentBytes).Fill(7);
            _loop.Lending.Begin(_lent, LentBytes);
            MessageWriter.WriteChunk(writer.Output, 1, new Payload(new Span<byte>(_lent, 20_000)), bin: true);
            writer.FlushAndClose("the test");
            MessageWriter.WriteChunk(writer.Output, 2, new Payload(new Span<byte>(_lent, 20_000)), bin: true);
            _loop.Lending.End();
        });
        byte[] all = new byte[50_000];
        int count = 0;
        for (int got; (got = _peer.Receive(all, count, all.Length - count, SocketFlags.None)) > 0;)
        {
            count += got;
        }

        Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(all.AsSpan(0, count), ProtocolLimits.Default, out MessageLayout layout));
        Assert.Equal((1UL, 20_000, count), (layout.Channel, layout.DataLength, layout.TotalBytes));
    }

    private int _read;
    private byte[] _received = new byte[4 << 20];
    private int _length;

    private void Lend(Writer writer, Random random, List<byte[]> expected, int count)
    {
        random.NextBytes(new Span<byte>(_lent, LentBytes));
        _loop.Lending.Begin(_lent, LentBytes);
        for (int i = 0; i < count; i++)
        {
            int length = random.Next(4) switch { 0 => random.Next(200), 1 => random.Next(8000), 2 => random.Next(70_000), _ => 65_536 };
            int start = random.Next(LentBytes - length);
            Span<byte> payload = random.Next(4) == 0 ? new byte[length] : new Span<byte>(_lent + start, length);
            expected.Add(payload.ToArray());
            MessageWriter.WriteChunk(writer.Output, (ulong)expected.Count, new Payload(payload), bin: true);
            if (random.Next(50) == 0)
            {
                writer.ScheduleSend();
            }
        }

        _loop.Lending.End();
        new Span<byte>(_lent, LentBytes).Fill(0xee);
        writer.ScheduleSend();
    }

    private void Read(List<byte[]> expected, int count)
    {
        for (int until = _read + count; _read < until;)
        {
            if (MessageDecoder.Decode(_received.AsSpan(0, _length), ProtocolLimits.Default, out MessageLayout layout) != DecodeStatus.Ok)
            {
                _length += _peer.Receive(_received, _length, Math.Min(_received.Length - _length, 100_000), SocketFlags.None);
                continue;
            }

            Assert.Equal((ulong)(_read + 1), layout.Channel);
            Assert.True(_received.AsSpan(layout.DataOffset, layout.DataLength).SequenceEqual(expected[_read]), $"message {_read + 1} has other bytes");
            _read++;
            _received.AsSpan(layout.TotalBytes, _length - layout.TotalBytes).CopyTo(_received);
            _length -= layout.TotalBytes;
        }
    }

    private Writer Open()
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _peer.Connect(listener.LocalEndPoint!);
        using Socket own = listener.Accept();
        own.SendBufferSize = 150_000;
        Writer writer = new(_loop, DescriptorCopy.Of((int)own.Handle));
        _loop.Start("test");
        OnLoopThread.Run(_loop, writer.Open);
        return writer;
    }

    private sealed class Writer(EventLoop loop, int descriptor) : SocketConnection(loop, descriptor)
    {
        protected override long OnReceived(in ReadOnlySequence<byte> buffer) => buffer.Length;

        protected override void OnClosed(string reason)
        {
        }
    }
}
