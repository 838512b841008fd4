using System.Text.Json;
using Cocaine.Fast.Client;
using MessagePack;

namespace Cocaine.Fast.Bench.Load;

/// <summary>What a node of ours counts of itself: since its start, or per request.</summary>
/// <param name="AllocatedBytes">Managed bytes that the node's process allocated.</param>
/// <param name="Turns">Turns of the loop: epoll_wait.</param>
/// <param name="Receives">Receives from sockets.</param>
/// <param name="Sends">Sends to sockets.</param>
/// <param name="Bells">Doorbells of slaves that were rung.</param>
/// <param name="Done">Jobs of the app that were answered.</param>
internal sealed record NodeCounts(double AllocatedBytes, double Turns, double Receives, double Sends, double Bells, double Done)
{
    public static NodeCounts operator -(NodeCounts a, NodeCounts b) => new(
        a.AllocatedBytes - b.AllocatedBytes, a.Turns - b.Turns, a.Receives - b.Receives, a.Sends - b.Sends, a.Bells - b.Bells,
        a.Done - b.Done);

    /// <summary>The share of one request. Below 0 is what the counting's own cost, taken off, was less this time.</summary>
    public NodeCounts Per(double requests) => new(
        Math.Max(0, AllocatedBytes) / requests, Turns / requests, Receives / requests, Sends / requests, Bells / requests, Done / requests);
}

/// <summary>Asks a node of ours what it has counted.</summary>
internal sealed class NodeProbe : IAsyncDisposable
{
    private readonly CocaineClient _client;

    private NodeProbe(CocaineClient client) => _client = client;

    public static async Task<NodeProbe> OpenAsync(string endpoint, ClientOptions? options = null)
    {
        NodeProbe probe = new(await CocaineClient.ConnectAsync(endpoint, options));
        await probe.CountAsync();
        return probe;
    }

    /// <summary>The counts until now.</summary>
    public async Task<NodeCounts> CountAsync()
    {
        using JsonDocument info = await InfoAsync();
        JsonElement loop = info.RootElement.GetProperty("loop");
        return new NodeCounts(
            info.RootElement.GetProperty("node").GetProperty("allocated-bytes").GetInt64(), Of("turns"), Of("receives"), Of("sends"),
            Of("bells"), info.RootElement.GetProperty("jobs").GetProperty("done").GetInt64());

        long Of(string name) => loop.GetProperty(name).GetInt64();
    }

    /// <summary>The counts since then, without those of the question itself, which a second question tells.</summary>
    public async Task<NodeCounts> CountSinceAsync(NodeCounts before)
    {
        NodeCounts now = await CountAsync();
        NodeCounts question = await CountAsync() - now;
        return now - before - question;
    }

    /// <summary>The slaves that get jobs at present: all but those that sleep because more jobs end without them.</summary>
    public async Task<int> FedSlavesAsync()
    {
        using JsonDocument info = await InfoAsync();
        JsonElement pool = info.RootElement.GetProperty("pool");
        return pool.GetProperty("total").GetInt32() - pool.GetProperty("sleeping").GetInt32();
    }

    /// <summary>All that the node says of the app.</summary>
    public async Task<JsonDocument> InfoAsync() => JsonDocument.Parse(MessagePackSerializer.ConvertToJson(await _client.InfoAsync()));

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
