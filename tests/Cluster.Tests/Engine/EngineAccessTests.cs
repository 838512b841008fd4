using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Cluster.Tests.Engine;

/// <summary>An engine with mutual TLS and a password: who may write to it runs code on all nodes.</summary>
[Collection(nameof(Alone))]
public sealed class EngineAccessTests : IDisposable
{
    private const string Bucket = "cf_apps";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsFact("nats-server", "nats-server")]
    public async Task An_engine_with_tls_and_a_password_takes_the_node_that_has_both_and_no_other()
    {
        TestCertificates ca = new(_folder), others = new(_folder, "others");
        TestCertificate server = ca.IssueServer(), own = ca.Issue("node"), strange = others.Issue("strange");
        using NatsServer engine = await NatsServer.StartNewAsync(
            "--user", "node", "--pass", "secret", "--tls", $"--tlscert={server.CertificateFile}", $"--tlskey={server.KeyFile}",
            $"--tlscacert={ca.CaFile}", "--tlsverify");
        ClusterConfig good = new()
        {
            CredentialsFile = Secret("password", "node:secret\n"),
            EngineCaFile = ca.CaFile,
            EngineCertificateFile = own.CertificateFile,
            EngineKeyFile = own.KeyFile,
        };
        await using (NatsSession session = await OpenAsync(engine, good))
        {
            Assert.Equal(WriteOutcome.Written, (await session.WriteAsync(Bucket, "hello", "one"u8.ToArray(), 0)).Outcome);
        }

        await RefusedAsync(engine, good with { CredentialsFile = Secret("wrong", "node:wrong") });
        await RefusedAsync(engine, good with { CredentialsFile = null });
        await RefusedAsync(engine, good with { EngineCaFile = others.CaFile });
        await RefusedAsync(engine, good with { EngineCertificateFile = null, EngineKeyFile = null });
        await RefusedAsync(engine, good with { EngineCertificateFile = strange.CertificateFile, EngineKeyFile = strange.KeyFile });
        Assert.Contains("expected USER:PASSWORD", await RefusedAsync(engine, good with { CredentialsFile = Secret("text", "secret") }));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("key")]
    public async Task A_secret_that_others_can_read_is_refused_before_anything_is_sent(string secret)
    {
        TestCertificates ca = new(_folder);
        TestCertificate own = ca.Issue("node");
        ClusterConfig config = new()
        {
            CredentialsFile = Secret("password", "node:secret"),
            EngineCaFile = ca.CaFile,
            EngineCertificateFile = own.CertificateFile,
            EngineKeyFile = own.KeyFile,
        };
        string file = secret == "key" ? own.KeyFile : config.CredentialsFile!;
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        EngineException refused = await Assert.ThrowsAsync<EngineException>(
            () => NatsSession.OpenAsync(EngineAccess.Of(["nats://127.0.0.1:1"], config), "a", Bucket));
        Assert.Equal($"{file} has the {secret} for the cluster's engine, and it can be reached by every user (mode 0604): chmod 600", refused.Message);
    }

    private static Task<NatsSession> OpenAsync(NatsServer engine, ClusterConfig config) =>
        NatsSession.OpenAsync(EngineAccess.Of([engine.Url], config), "a", Bucket);

    private static async Task<string> RefusedAsync(NatsServer engine, ClusterConfig config) =>
        (await Assert.ThrowsAsync<EngineException>(() => OpenAsync(engine, config))).Message;

    private string Secret(string name, string text)
    {
        string path = _folder.Write(name, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
