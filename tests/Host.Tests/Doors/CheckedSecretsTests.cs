using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>The files of secrets that a config names, as <c>check</c> and a starting node judge them.</summary>
public sealed class CheckedSecretsTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const uint Stranger = 47113;

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;

    public CheckedSecretsTests() => _ca = new TestCertificates(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Good_files_are_good_and_those_of_a_node_say_when_they_end()
    {
        Assert.Equal((0, ""), await CheckAsync(Tls(_ca.IssueServer())));
        TestCertificate ending = _ca.Issue("ending", new CertificateForm { Dns = ["localhost"], EndsInDays = 5 });
        (int code, string errors) = await CheckAsync(Tls(ending, _ca.Revoke("old.crl", -1)));
        string[] lines = errors.TrimEnd().Split('\n');
        string config = _folder["node.json"];
        Assert.Equal(0, code);
        Assert.StartsWith($"{config}: warning: $.security.tls.certificate: {ending.CertificateFile} ends on ", lines[0]);
        Assert.StartsWith($"{config}: warning: $.security.tls.crl: {_folder["old.crl"]} ended on ", lines[1]);
        (code, errors) = await CheckAsync(Tls(_ca.IssueServer(), ca: ending.CertificateFile));
        Assert.Contains($"$.security.tls.client-ca: {ending.CertificateFile}: CN=ending is no authority", errors);
    }

    [Fact]
    public async Task A_certificate_that_is_weak_or_over_or_of_another_key_is_a_mistake_with_its_place()
    {
        TestCertificate weak = _ca.IssueServer("weak", rsaBits: 1024), good = _ca.IssueServer();
        TestCertificate over = _ca.Issue("over", new CertificateForm { EndsInDays = -0.5 });
        await IsWrongAsync(Tls(weak), ":1:41: $.security.tls.certificate: ", "too small");
        await IsWrongAsync(Tls(over), ":1:41: $.security.tls.certificate: ", "ended on ");
        await IsWrongAsync(Tls(good with { KeyFile = over.KeyFile }), "$.security.tls.certificate: ", "does not belong to the key");
        await IsWrongAsync(Tls(good, ca: _folder["missing.pem"]), "$.security.tls.client-ca: ", "missing.pem");
        await IsWrongAsync(Tls(good, crl: good.CertificateFile), "$.security.tls.crl: ", "server.pem");
        File.SetUnixFileMode(good.KeyFile, Owner | UnixFileMode.GroupRead);
        await IsWrongAsync(Tls(good), "$.security.tls.key: ", "it can be reached by its group (mode 0640): chmod 600");
    }

    [Fact]
    public async Task A_config_with_tokens_that_others_can_read_is_a_mistake()
    {
        const string Rules = """{ "security": { "identities": { "batch": { "token": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" } } } }""";
        (int code, string errors) = await CheckAsync(Rules, Owner | UnixFileMode.OtherRead);
        Assert.Equal(2, code);
        Assert.Equal($"{_folder["node.json"]} has tokens in security.identities, and it can be reached by every user (mode 0604): chmod 600\n", errors);
        Assert.Equal((0, ""), await CheckAsync(Rules));
    }

    [Fact]
    public async Task Keys_that_others_can_read_change_or_replace_are_mistakes_and_the_node_does_not_start()
    {
        using SealKeys keys = new("billing");
        string config = $$"""{ "security": { "keys": "{{keys.Folder}}" } }""", own = Path.Combine(keys.Folder, "own/node.pem");
        Assert.Equal((0, ""), await CheckAsync(config));
        File.SetUnixFileMode(own, Owner | UnixFileMode.GroupRead);
        await IsWrongAsync(config, "$.security.keys: ", $"{own}: it can be reached by its group (mode 0640): chmod 600");
        using (ServeProcess serve = ServeProcess.Start(_folder, $"\"security\": {{ \"keys\": \"{keys.Folder}\" }}"))
        {
            await serve.UntilLogAsync("cannot start: ");
            Assert.Contains($"{own}: it can be reached by its group", serve.Log);
        }

        File.SetUnixFileMode(own, Owner);
        File.SetUnixFileMode(keys.PublicOf("billing"), Owner | UnixFileMode.OtherWrite);
        await IsWrongAsync(config, "$.security.keys: ", "billing.pub: others than its owner can change it (mode 0602): chmod go-w");
        File.SetUnixFileMode(keys.PublicOf("billing"), Owner);
        File.SetUnixFileMode(keys.Folder, File.GetUnixFileMode(keys.Folder) | UnixFileMode.OtherWrite);
        await IsWrongAsync(config, "$.security.keys: ", $"{keys.Folder} cannot be trusted: others than its owner may write to it");
        (int code, string errors) = await CheckAsync($$"""{ "security": { "keys": "{{_folder["none"]}}" } }""");
        Assert.True(code == 0 && errors.Contains($"warning: $.security.keys: here no job can be sealed: there is no folder {_folder["none"]}"), errors);
    }

    [RootFact]
    public async Task Keys_and_links_to_keys_of_another_user_are_refused()
    {
        using SealKeys keys = new("billing");
        string config = $$"""{ "security": { "keys": "{{keys.Folder}}" } }""", own = Path.Combine(keys.Folder, "own/node.pem");
        Unprivileged.Run("/bin/chown", $"{Stranger}", keys.PublicOf("billing"));
        await IsWrongAsync(config, "$.security.keys: ", $"billing.pub: it belongs to user {Stranger}, and neither to root nor to this user");
        Unprivileged.Run("/bin/chown", "0", keys.PublicOf("billing"));
        string elsewhere = _folder.Write("elsewhere.pem", File.ReadAllText(own));
        File.SetUnixFileMode(elsewhere, Owner);
        File.Delete(own);
        File.CreateSymbolicLink(own, elsewhere);
        Assert.Equal((0, ""), await CheckAsync(config)); // a link to a file of the same user, as mounted secrets have
        Unprivileged.Run("/bin/chown", $"{Stranger}", elsewhere);
        await IsWrongAsync(config, "$.security.keys: ", $"node.pem: it belongs to user {Stranger}");
        Unprivileged.Run("/bin/chown", "0", elsewhere);
        Unprivileged.Run("/bin/chown", $"{Stranger}", Path.Combine(keys.Folder, "own"));
        await IsWrongAsync(config, "$.security.keys: ", "own cannot be trusted");
    }

    private string Tls(TestCertificate server, string? crl = null, string? ca = null)
    {
        string list = crl is null ? "" : $", \"crl\": \"{crl}\"";
        return $$"""{ "security": { "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}", "client-ca": "{{ca ?? _ca.CaFile}}"{{list}} } } }""";
    }

    private async Task IsWrongAsync(string config, string place, string words)
    {
        (int code, string errors) = await CheckAsync(config);
        Assert.True(code == 2 && errors.Contains(place) && errors.Contains(words), $"{code} {errors}");
    }

    private async Task<(int Code, string Errors)> CheckAsync(string config, UnixFileMode mode = Owner)
    {
        string file = _folder.Write("node.json", config);
        File.SetUnixFileMode(file, mode);
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"check --config {file}");
        Assert.Equal(code == 0 ? "ok\n" : "", output);
        return (code, errors);
    }
}
