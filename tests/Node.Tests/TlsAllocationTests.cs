using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Tls;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests;

/// <summary>Counts every byte that the whole process allocates for requests over TLS, like <see cref="AllocationTests"/>.</summary>
[Collection(nameof(Alone))]
public class TlsAllocationTests(ITestOutputHelper output)
{
    private const long RuntimeNoiseBytes = 64 << 10;

    [Theory]
    [InlineData(BackendType.Thread, 8, 8, 64, 100_000)]
    [InlineData(BackendType.Process, 8, 8, 64, 100_000)]
    [InlineData(BackendType.Thread, 4, 2, 64 << 10, 4000)]
    [InlineData(BackendType.Thread, 4, 2, 1 << 20, 400)]
    [InlineData(BackendType.Process, 2, 2, 1 << 20, 400)]
    public async Task Requests_over_TLS_allocate_nothing(BackendType backend, int connections, int inFlight, int sizeBytes, int count)
    {
        using TestFolder folder = new();
        TestCertificates ca = new(folder);
        await using TestNode node = TestNode.Start(tls: ca.Config(ca.IssueServer()));
        AppManifest app = TestApps.DotNet(backend);
        RunningApp running = await node.AddAsync(app with { Tasks = [app.Tasks[0] with { Keys = new Dictionary<string, object> { ["tls"] = "on" } }] });
        using TlsContext client = TlsContext.ForClient(new TlsClientSettings { CaFile = ca.CaFile });
        string endpoint = running.Endpoints[0].Endpoint;
        _ = await LoadCount.CountAsync(endpoint, count, sizeBytes, connections, inFlight, client); // buffers grow, methods are compiled
        long requests = 0;
        (long bytes, string types) = await AllocationCount.LeastAsync(RuntimeNoiseBytes, async () =>
        {
            (long size, requests) = await LoadCount.CountAsync(endpoint, count, sizeBytes, connections, inFlight, client);
            return size;
        });
        output.WriteLine($"{backend}, {sizeBytes} bytes: {bytes} bytes in {requests} requests");
        Assert.InRange(requests, count, int.MaxValue);
        Assert.True(bytes <= RuntimeNoiseBytes, types);
    }
}
