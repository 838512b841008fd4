using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Sockets;

public sealed class SocketConnectionTests
{
    /// <summary>
    /// Reading is resumed at the end of a turn, by something that was sent, and half a line comes before what waits is looked at: the
    /// receive and the resume fall into one turn, and the second finds nothing new. The half must be there when its rest comes.
    /// </summary>
    [Fact]
    public async Task Half_a_message_that_comes_between_a_resume_and_its_turn_is_kept()
    {
        (Socket peer, Socket own) = await PairAsync();
        using (peer)
        {
            using EventLoop loop = new(NullLogger.Instance);
            LineReader reader = new(loop, DescriptorCopy.Of((int)own.Handle));
            own.Dispose();
            reader.OnPaused = () => loop.ScheduleSend(new AtTurnEnd(() =>
            {
                peer.Send("ha"u8);
                reader.ResumeReading();
                loop.Post(() => loop.ScheduleSend(new AtTurnEnd(() =>
                {
                    loop.Buffers.RentPipe(); // another connection has use for a pipe
                    peer.Send("lf\nend\n"u8);
                })));
            }));
            peer.Send("pause\nwaiting\n"u8);
            loop.Post(reader.Open);
            loop.Start("test");
            Assert.Equal(["pause", "waiting", "half", "end"], await reader.Lines.WaitAsync(TimeSpan.FromSeconds(10)));
        }
    }

    /// <summary>
    /// A reader pauses after a little of what it has, and goes on in each turn after the events, while its peer sends as fast as it can:
    /// the bytes that wait for the reader must not pile up in the connection.
    /// </summary>
    [Fact]
    public async Task A_connection_that_pauses_in_each_turn_receives_no_more_than_it_gives_on()
    {
        const int Size = 64 << 20, MostKept = 4 << 20;
        (Socket peer, Socket own) = await PairAsync();
        using (peer)
        {
            using EventLoop loop = new(NullLogger.Instance);
            SippingReader reader = new(loop, DescriptorCopy.Of((int)own.Handle), Size);
            own.Dispose();
            loop.Post(reader.Open);
            loop.Start("test");
            Task sent = Task.Run(() =>
            {
                byte[] chunk = new byte[1 << 20];
                for (int i = 0; i < Size / chunk.Length; i++)
                {
                    peer.Send(chunk);
                }
            });
            long most = await reader.MostUnread.WaitAsync(TimeSpan.FromSeconds(60));
            await sent;
            Assert.InRange(most, 1, MostKept);
        }
    }

    private static async Task<(Socket, Socket)> PairAsync()
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        Socket peer = new(SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(listener.LocalEndPoint!);
        peer.NoDelay = true;
        return (peer, await listener.AcceptAsync());
    }

    private sealed class AtTurnEnd(Action action) : TurnTask
    {
        public override void OnTurnEnd() => action();
    }

    /// <summary>Takes whole lines; the line "pause" pauses it, the line "end" is the last.</summary>
    private sealed class LineReader(EventLoop loop, int descriptor) : SocketConnection(loop, descriptor)
    {
        private readonly TaskCompletionSource<List<string>> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<string> _lines = [];

        public Action OnPaused { get; set; } = () => { };

        public Task<List<string>> Lines => _end.Task;

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            SequenceReader<byte> reader = new(buffer);
            while (!IsReadingPaused && reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n'))
            {
                _lines.Add(Encoding.ASCII.GetString(line));
                if (_lines[^1] == "pause")
                {
                    PauseReading();
                    OnPaused();
                }
                else if (_lines[^1] == "end")
                {
                    _end.TrySetResult(_lines);
                }
            }

            return reader.Consumed;
        }

        protected override void OnClosed(string reason) => _end.TrySetException(new IOException($"{reason}: {string.Join(' ', _lines)}"));
    }

    /// <summary>Takes at most 16 KiB, pauses, and goes on at the end of the turn.</summary>
    private sealed class SippingReader : SocketConnection
    {
        private const int SipBytes = 16 << 10;

        private readonly TaskCompletionSource<long> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly AtTurnEnd _goOn;
        private long _left, _most;

        public SippingReader(EventLoop loop, int descriptor, long size)
            : base(loop, descriptor)
        {
            _left = size;
            _goOn = new AtTurnEnd(ResumeReading);
        }

        public Task<long> MostUnread => _end.Task;

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            long taken = Math.Min(SipBytes, buffer.Length);
            _left -= taken;
            _most = Math.Max(_most, buffer.Length);
            if (_left == 0)
            {
                _end.TrySetResult(_most);
            }
            else
            {
                PauseReading();
                Loop.ScheduleSend(_goOn);
            }

            return taken;
        }

        protected override void OnClosed(string reason) => _end.TrySetException(new IOException(reason));
    }
}
