using System.Net;
using System.Text;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Node.Locator;

/// <summary>The arguments of the locator's answers, encoded with the old families only: every public client can read them.</summary>
internal sealed class LocatorAnswer
{
    private const int Version = 1;
    private readonly List<byte> _bytes = [];

    /// <summary><c>[[[host, port]…], 1, api]</c></summary>
    public byte[] Resolved(IReadOnlyList<IPEndPoint> endpoints)
    {
        Found(endpoints).Map(2);

        // 0: enqueue, with the states of the client's stream and of the answer. nil: the state stays; {}: the stream ends.
        Number(0).Array(3).String("enqueue");
        Stream().Stream();

        // 1: info
        Primitive(1, "info");
        return [.. _bytes];
    }

    /// <summary>The same for the service <c>node</c>.</summary>
    public byte[] ResolvedNode(IReadOnlyList<IPEndPoint> endpoints)
    {
        Found(endpoints).Map(4);
        Primitive(0, "start_app").Primitive(1, "pause_app").Primitive(2, "list").Primitive(3, "info");
        return [.. _bytes];
    }

    /// <summary><c>[{uuid: [host, port]…}]</c></summary>
    public byte[] Cluster(IReadOnlyList<(string Uuid, IPEndPoint At)> nodes)
    {
        Array(1).Map(nodes.Count);
        foreach ((string uuid, IPEndPoint at) in nodes)
        {
            String(uuid).Address(at);
        }

        return [.. _bytes];
    }

    /// <summary><c>[{}]</c>: there are no routing groups.</summary>
    public byte[] NoRoutes()
    {
        Array(1).Map(0);
        return [.. _bytes];
    }

    /// <summary><c>[text]</c></summary>
    public byte[] Text(string text)
    {
        Array(1).String(text);
        return [.. _bytes];
    }

    private LocatorAnswer Found(IReadOnlyList<IPEndPoint> endpoints)
    {
        Array(3).Array(endpoints.Count);
        foreach (IPEndPoint endpoint in endpoints)
        {
            Address(endpoint);
        }

        return Number(Version);
    }

    /// <summary>A method with one answer.</summary>
    private LocatorAnswer Primitive(int number, string name)
    {
        Number(number).Array(3).String(name).Map(0);
        return Map(2).Number(0).Array(2).String("value").Map(0).Number(1).Array(2).String("error").Map(0);
    }

    private LocatorAnswer Stream()
    {
        Map(3).Number(0).Array(2).String("write").Nil();
        Number(1).Array(2).String("error").Map(0);
        return Number(2).Array(2).String("close").Map(0);
    }

    private LocatorAnswer Address(IPEndPoint endpoint) => Array(2).String(endpoint.Address.ToString()).Number(endpoint.Port);

    private LocatorAnswer Array(int count)
    {
        Span<byte> head = stackalloc byte[MsgPackEncoder.MaxHeadBytes];
        return Add(head[..MsgPackEncoder.WriteArrayHead(head, (uint)count)]);
    }

    private LocatorAnswer Map(int count)
    {
        Span<byte> head = stackalloc byte[MsgPackEncoder.MaxHeadBytes];
        return Add(head[..MsgPackEncoder.WriteMapHead(head, (uint)count)]);
    }

    private LocatorAnswer Number(int value)
    {
        Span<byte> head = stackalloc byte[MsgPackEncoder.MaxHeadBytes];
        return Add(head[..MsgPackEncoder.WriteSigned(head, value)]);
    }

    private LocatorAnswer Nil()
    {
        _bytes.Add(0xc0);
        return this;
    }

    private LocatorAnswer String(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> head = stackalloc byte[MsgPackEncoder.MaxHeadBytes];
        return Add(head[..MsgPackEncoder.WriteStringHead(head, (uint)bytes.Length, modern: false)]).Add(bytes);
    }

    private LocatorAnswer Add(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }
}
