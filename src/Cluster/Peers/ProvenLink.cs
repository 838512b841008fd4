using System.Text;
using Cocaine.Fast.Cluster.Forwarding;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>Where a link to another node is: <c>greeting → proving → open → closed</c>, and closed from each.</summary>
internal enum PeerLinkState
{
    /// <summary>The hello is on its way.</summary>
    Greeting,

    /// <summary>The other node has proven itself, and has got this node's proof.</summary>
    Proving,

    /// <summary>News came: jobs may go.</summary>
    Open,

    /// <summary>The link has ended.</summary>
    Closed,
}

/// <summary>
/// A connection to another node that proves itself before anything else is said, and tells its load then. A node that says nothing for too
/// long loses the link.
/// </summary>
internal abstract class ProvenLink : MessageConnection
{
    private readonly PeerIdentity _self;
    private readonly string _app;
    private readonly ILogger _log;
    private readonly PeerHello _hello;
    private readonly Watch _watch;
    private readonly long _begunNs;

    protected ProvenLink(PeerIdentity self, string app, ILogger log, PeerAddress to, EventLoop loop, in PeerSocket socket)
        : base(loop, socket.Descriptor, ProtocolLimits.Default)
    {
        _self = self;
        _app = app;
        _log = log;
        To = to;
        _hello = PeerHello.Of(self, app) with { Binding = socket.Binding() };
        socket.Secure(this);
        _watch = new Watch(this);
        _begunNs = loop.NowNs;
    }

    /// <summary>The other node.</summary>
    public PeerAddress To { get; }

    public PeerLinkState State { get; private set; } = PeerLinkState.Greeting;

    /// <summary>The node's load, as this node knows it.</summary>
    public PeerLoad Load { get; } = new() { IsOpen = false };

    /// <summary>
    /// The way to the node and back, ns: as the kernel knows it, because the first hello of a process takes much longer than the way. Valid
    /// in Open.
    /// </summary>
    public long RttNs { get; private set; }

    /// <summary>The link has ended because nothing was heard of the node. Valid in Closed.</summary>
    protected bool IsSilent { get; private set; }

    /// <summary>Sends the hello.</summary>
    public void Begin()
    {
        Open();
        _hello.Write(Output);
        ScheduleSend();
        Loop.Patience.Arm(_watch, Loop.ListenedMs + PeerLimits.HelloMs);
    }

    /// <summary>The node has proven itself, and its load is known.</summary>
    protected abstract void OnOpen();

    /// <summary>A message that is no news, in Open.</summary>
    protected abstract void OnProven(in MessageView message);

    /// <summary>The link has ended, for any reason.</summary>
    protected abstract void OnEnded(string reason);

    protected sealed override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        if (State != PeerLinkState.Open || message.Layout.Channel == PeerHello.Channel)
        {
            OnNews(in message);
        }
        else
        {
            OnProven(in message);
        }
    }

    protected sealed override void OnMalformed(ulong? channel, int code, string problem) => Break(problem);

    protected sealed override void OnClosed(string reason)
    {
        State = PeerLinkState.Closed;
        Loop.Patience.Cancel(_watch);
        OnEnded(reason);
    }

    /// <summary>The node has broken the protocol.</summary>
    protected void Break(string problem)
    {
        PeerLog.Broken(_log, _app, To.Node, problem);
        Close(problem);
    }

    /// <summary>A message of the hello, or news.</summary>
    private void OnNews(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (layout.Type == MessageType.Error && layout.Shape == ArgumentShape.Error && State != PeerLinkState.Open)
        {
            Close($"refused: {Encoding.UTF8.GetString(MessageWriter.Cut(message.Text))}");
        }
        else if (layout.Channel != PeerHello.Channel || layout.Type != MessageType.Chunk)
        {
            Break("a message that is neither of the hello nor news");
        }
        else if (State == PeerLinkState.Greeting)
        {
            OnHello(message.Arguments);
        }
        else if (LoadNews.TryRead(message.Arguments, out LoadNews news))
        {
            Load.OnReport(news.Load, Loop.NowNs);
            Load.IsOpen = news.IsOpen;
            OnFirstNews();
        }
        else
        {
            Break("news that are none");
        }
    }

    private void OnHello(ReadOnlySpan<byte> arguments)
    {
        if (!_hello.TryReadAnswer(arguments, _self.Secret, out string node, out byte[] nonce) || node != To.Node)
        {
            Break("no proof that the other side is the node that was called");
            return;
        }

        State = PeerLinkState.Proving;
        _hello.WriteProof(Output, _self.Secret, node, nonce);
        ScheduleSend();
    }

    private void OnFirstNews()
    {
        if (State == PeerLinkState.Proving)
        {
            State = PeerLinkState.Open;
            RttNs = TcpInfo.MinRttNs(Descriptor) ?? Loop.NowNs - _begunNs;
            Loop.Patience.Arm(_watch, Loop.ListenedMs + PeerLimits.SilenceMs);
            OnOpen();
        }
    }

    /// <summary>Ends a hello that takes too long, and a link on which nothing comes.</summary>
    private sealed class Watch(ProvenLink link) : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
            long dueMs = link.LastReceivedMs + PeerLimits.SilenceMs;
            if (link.State != PeerLinkState.Open)
            {
                link.Close($"no hello within {PeerLimits.HelloMs} ms");
            }
            else if (nowMs < dueMs)
            {
                link.Loop.Patience.Arm(this, dueMs);
            }
            else
            {
                link.IsSilent = true;
                link.Close($"nothing came for {PeerLimits.SilenceMs} ms");
            }
        }
    }
}
