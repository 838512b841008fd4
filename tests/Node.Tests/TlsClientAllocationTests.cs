using System.Buffers;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests;

/// <summary>Counts every byte that the whole process allocates while a client calls a node over TLS.</summary>
[Collection(nameof(Alone))]
public sealed class TlsClientAllocationTests : IDisposable
{
    private const int Calls = 20_000;

    /// <summary>As in <see cref="AllocationTests"/>: what the runtime itself may allocate meanwhile.</summary>
    private const long RuntimeNoiseBytes = 64 << 10;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_call_over_TLS_allocates_nothing_in_the_client_and_in_the_node()
    {
        TestCertificates certificates = new(_folder);
        await using TestNode node = TestNode.Start(tls: certificates.Config(certificates.IssueServer()));
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(manifest with
        {
            Tasks = [manifest.Tasks[0] with { Keys = new Dictionary<string, object>(manifest.Tasks[0].Keys) { ["tls"] = "mutual" } }],
        });
        TestCertificate own = certificates.Issue("caller");
        string endpoint = app.Endpoints.Single(one => one.Endpoint.Contains("127.0.0.1")).Endpoint.Replace("tcp://", "tls://");
        ClientTls tls = new() { CaFile = certificates.CaFile, CertificateFile = own.CertificateFile, KeyFile = own.KeyFile };
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, new ClientOptions { Tls = tls });
        byte[] request = new byte[64];
        ArrayBufferWriter<byte> answer = new(1024);
        // Off the test's own synchronization context, which allocates for each continuation.
        await Task.Run(() => CallAsync(client, request, answer));
        (long bytes, string types) = await AllocationCount.LeastAsync(
            RuntimeNoiseBytes, () => AllocationCount.OfAsync(() => Task.Run(() => CallAsync(client, request, answer))));
        Assert.True(bytes <= RuntimeNoiseBytes, $"{bytes} bytes in {Calls} calls: {types}");
    }

    private static async Task CallAsync(CocaineClient client, byte[] request, ArrayBufferWriter<byte> answer)
    {
        for (int i = 0; i < Calls; i++)
        {
            answer.ResetWrittenCount();
            if (await client.CallAsync("echo", request, answer).ConfigureAwait(false) != request.Length)
            {
                Assert.Fail("the answer is not the request");
            }
        }
    }
}
