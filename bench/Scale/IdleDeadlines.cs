using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Scale;

/// <summary>Calls that are never ended: each keeps a deadline armed in the node, and does nothing else.</summary>
internal sealed class IdleDeadlines : IAsyncDisposable
{
    /// <summary>Calls of one connection, below the channels that the protocol allows it.</summary>
    private const int CallsPerConnection = 50_000;

    private static readonly TimeSpan Deadline = TimeSpan.FromHours(1), ArmTimeout = TimeSpan.FromSeconds(30);

    private readonly List<CocaineClient> _clients = [];

    private IdleDeadlines()
    {
    }

    public static async Task<IdleDeadlines> ArmAsync(string endpoint, int count)
    {
        IdleDeadlines idle = new();
        for (int i = 0; i < count; i++)
        {
            if (i % CallsPerConnection == 0)
            {
                idle._clients.Add(await CocaineClient.ConnectAsync(endpoint));
            }

            idle._clients[^1].Open("echo", new CallOptions { Deadline = Deadline });
        }

        using CancellationTokenSource late = new(ArmTimeout);
        await using Load.NodeProbe probe = await Load.NodeProbe.OpenAsync(endpoint);
        while (await WaitingAsync(probe) < count)
        {
            await Task.Delay(100, late.Token);
        }

        return idle;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CocaineClient client in _clients)
        {
            await client.DisposeAsync();
        }
    }

    private static async Task<long> WaitingAsync(Load.NodeProbe probe)
    {
        using System.Text.Json.JsonDocument info = await probe.InfoAsync();
        System.Text.Json.JsonElement jobs = info.RootElement.GetProperty("jobs");
        return jobs.GetProperty("queued").GetInt64() + jobs.GetProperty("running").GetInt64();
    }
}
