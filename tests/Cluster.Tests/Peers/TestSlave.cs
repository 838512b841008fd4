using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Cluster.Tests.Peers;

/// <summary>A slave that does what the event of a job says, on the loop of its node.</summary>
internal sealed class TestSlave(PeerNode node, Slave slave) : SlaveLink
{
    private readonly MemorySink _toSlave = new();
    private readonly MemorySink _fromSlave = new();
    private readonly Dictionary<ulong, Run> _runs = [];

    public override MessageSink Sink => _toSlave;

    public override long BacklogBytes => 0;

    public override bool PeerSpeaksBin => true;

    public override bool HasFlow => true;

    public override string Kind => "test";

    public override int ProcessId => 0;

    public override void Flush()
    {
        byte[] bytes = _toSlave.Written.ToArray();
        _toSlave.Clear();
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty && MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
        {
            Take(in layout, rest);
            rest = rest[layout.TotalBytes..];
        }
    }

    public override void AskForRead() => node.Loop.Post(() => slave.Pressure.OnRead(slave, slave.Link));

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void Kill(string reason) => node.Loop.Post(() => slave.OnDead(reason));

    private void Take(in MessageLayout layout, ReadOnlySpan<byte> message)
    {
        if (layout.Channel == MessageWriter.ControlChannel)
        {
            TakeControl(in layout, message);
        }
        else if (layout is { Type: MessageType.Chunk, HeadersLength: > 0 })
        {
            node.OnBegun();
            node.LastHeaders = message.Slice(layout.HeadersOffset, layout.HeadersLength).ToArray();
            string[] words = Encoding.UTF8.GetString(message.Slice(layout.DataOffset, layout.DataLength)).Split(' ');
            _runs[layout.Channel] = new Run(this, layout.Channel, words[0], words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : 0);
        }
        else if (_runs.TryGetValue(layout.Channel, out Run? run))
        {
            run.Take(in layout);
        }
    }

    private void TakeControl(in MessageLayout layout, ReadOnlySpan<byte> message)
    {
        if (layout.Type == ControlType.Terminate)
        {
            node.Loop.Post(() => slave.OnDead("exit code 0"));
        }
        else if (layout.Type == ControlType.Flow && FlowControl.TryRead(new MessageView(in layout, message), out ulong channel, out bool hold)
            && _runs.TryGetValue(channel, out Run? run))
        {
            run.IsHeld = hold;
        }
    }

    private void Say(Action<MessageSink> write)
    {
        _fromSlave.Clear();
        write(_fromSlave);
        byte[] bytes = _fromSlave.Written.ToArray();
        MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
        Assert.True(slave.OnMessage(new MessageView(in layout, bytes), out string? fault), fault);
    }

    /// <summary>A job on the slave.</summary>
    private sealed class Run(TestSlave link, ulong channel, string verb, int number) : WheelTimer
    {
        private const int PortionBytes = 64 << 10;
        private long _requestBytes;
        private int _sent;

        public bool IsHeld { get; set; }

        public void Take(in MessageLayout layout)
        {
            DeadlineWheel timers = link.Loop.Timers;
            if (layout.Type == MessageType.Error)
            {
                link.Node.Cancelled++;
                link.Loop.Timers.Cancel(this);
                link.Node.Loop.Post(() => End(sink => MessageWriter.WriteClose(sink, channel))); // not within the engine's call
            }
            else if (layout.Type == MessageType.Chunk)
            {
                _requestBytes += layout.DataLength;
            }
            else if (verb != "hang")
            {
                timers.Arm(this, link.Loop.NowMs + (verb == "sleep" ? number : 0));
            }
        }

        public override void OnDue(long nowMs)
        {
            if (verb == "stream" && _sent < number)
            {
                if (!IsHeld)
                {
                    _sent++;
                    link.Say(sink => MessageWriter.WriteChunk(sink, channel, new Payload(new byte[PortionBytes]), bin: true));
                }

                link.Loop.Timers.Arm(this, nowMs + (IsHeld ? 1 : 0));
                return;
            }

            if (verb == "fail")
            {
                End(sink => MessageWriter.WriteError(sink, channel, 42, 7, "the app says no"));
                return;
            }

            if (verb != "stream")
            {
                link.Say(sink => MessageWriter.WriteChunk(sink, channel, new Payload(new byte[_requestBytes]), bin: true));
            }

            End(sink => MessageWriter.WriteClose(sink, channel));
        }

        private void End(Action<MessageSink> write)
        {
            link.Loop.Timers.Cancel(this);
            if (link._runs.Remove(channel) && link.Lives)
            {
                link.Say(write);
            }
        }
    }

    private IEngineLoop Loop => node.Loop;

    private PeerNode Node => node;

    private bool Lives => slave.State != SlaveState.Dead;
}
