using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Tests.Survival;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Links with TLS between real nodes, whose certificates are renewed while jobs go over them.</summary>
[Collection(nameof(Alone))]
public sealed class PeerTlsTests : ClusterTest
{
    [NeedsFact("nats-server", "nats-server")]
    public async Task Jobs_go_between_nodes_with_certificates_and_none_is_lost_when_these_are_renewed()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        TestCertificates certificates = new(Folder);
        ServeProcess a = await StartAsync("a", engine, certificates), b = await StartAsync("b", engine, certificates);
        ServeProcess plain = await Nodes.StartAsync("c", SectionOf("c", engine.Url));
        await SeesAsync(a, "a up", "b up", "c up");
        (int code, string output, string error) = await a.RunAsync("app", "create", Manifest());
        Assert.True(code == 0, error);
        await using CocaineClient client = await CocaineClient.ConnectAsync(output.Split("endpoint=")[1].Trim());
        await CallAllAsync(client, 120);
        Assert.True(await TakenAsync(b) > 0, a.Log);
        Assert.Equal(0, await TakenAsync(plain)); // the others want a certificate
        Assert.Contains("no link to node c", a.Log, StringComparison.Ordinal);
        Task load = CallAllAsync(client, 120);
        foreach (string name in (string[])["a", "b"])
        {
            TestCertificate next = certificates.IssueServer($"{name}-2");
            File.Copy(next.CertificateFile, Folder[$"{name}.pem"], overwrite: true);
            File.Copy(next.KeyFile, Folder[$"{name}.key"], overwrite: true);
        }

        a.Signal("HUP");
        b.Signal("HUP");
        await load; // a failed call fails the test
        await a.UntilLogAsync("new connections use the certificates of now");
        long before = await TakenAsync(b);
        await CallAllAsync(client, 120);
        Assert.True(await TakenAsync(b) > before);
    }

    [Fact]
    public async Task Check_warns_of_links_in_the_clear_that_other_hosts_can_reach()
    {
        TestCertificates certificates = new(Folder);
        string Config(string name, string more) => Folder.Write(name, $$"""
            { "cluster": { "engine": "nats://127.0.0.1:4222", "listen": "tcp://*:10054" }, {{more}} "state": "{{Folder["state"]}}" }
            """);
        TestCertificate own = certificates.IssueServer("node");
        string tls = $"\"security\": {{ \"network\": \"mutual\", \"tls\": {Tls(own, certificates)} }},";
        (int code, string output, string error) = await HostProcess.RunAsync(Folder, $"check --config {Config("plain.json", "")}");
        Assert.True(code == 0, error);
        Assert.Contains("warning: $.cluster.listen: jobs go between nodes in the clear", output + error, StringComparison.Ordinal);
        (code, output, error) = await HostProcess.RunAsync(Folder, $"check --config {Config("tls.json", tls)}");
        Assert.True(code == 0, error);
        Assert.DoesNotContain("in the clear", output + error, StringComparison.Ordinal);
    }

    private async Task<ServeProcess> StartAsync(string name, NatsServer engine, TestCertificates certificates)
    {
        TestCertificate own = certificates.IssueServer(name);
        return await Nodes.StartAsync(name, SectionOf(name, engine.Url), $"\"security\": {{ \"tls\": {Tls(own, certificates)} }},");
    }

    private static string Tls(TestCertificate own, TestCertificates certificates) =>
        $"{{ \"certificate\": \"{own.CertificateFile}\", \"key\": \"{own.KeyFile}\", \"client-ca\": \"{certificates.CaFile}\" }}";

    private static async Task CallAllAsync(CocaineClient client, int calls)
    {
        for (int left = calls; left > 0; left -= 6)
        {
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => client.CallAsync("sleep", "0.02"u8.ToArray()))).WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    private static async Task<int> TakenAsync(ServeProcess node)
    {
        await using NodeControlClient client = await node.ConnectAsync();
        using JsonDocument info = JsonDocument.Parse(await client.InfoJsonAsync("behaviours"));
        return info.RootElement.GetProperty("jobs").GetProperty("forwarded").GetProperty("in").GetInt32();
    }

    private string Manifest() => Folder.Write("behaviours.json", $$"""
        {
          "type": "python", "args": "local://{{Repository.Root}}/tests/apps/behaviours.py",
          "engine": { "pool-limit": 1, "pool-minimum": 1, "concurrency": 1, "queue-limit": 100 },
          "tasks": { "call": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } }
        }
        """);
}
