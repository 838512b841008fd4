using System.Text.Json;
using Cocaine.Fast.Client;
using MessagePack;

namespace Cocaine.Fast.Bench.Load;

/// <summary>Asks a node of ours how much it has allocated.</summary>
internal sealed class NodeMemory : IDisposable
{
    private readonly CocaineClient _client;

    private NodeMemory(CocaineClient client) => _client = client;

    /// <summary>What one question makes the node allocate.</summary>
    public long QuestionBytes { get; private set; }

    public static async Task<NodeMemory> OpenAsync(string endpoint)
    {
        NodeMemory memory = new(await CocaineClient.ConnectAsync(endpoint));
        await memory.AllocatedBytesAsync();
        long before = await memory.AllocatedBytesAsync();
        memory.QuestionBytes = await memory.AllocatedBytesAsync() - before;
        return memory;
    }

    public async Task<long> AllocatedBytesAsync()
    {
        using JsonDocument info = JsonDocument.Parse(MessagePackSerializer.ConvertToJson(await _client.InfoAsync()));
        return info.RootElement.GetProperty("node").GetProperty("allocated-bytes").GetInt64();
    }

    public void Dispose() => _client.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
