namespace Cocaine.Fast.Host.Tests.Keys;

/// <summary>Authorities, certificates and lists of revoked ones, as openssl judges them.</summary>
public sealed class CertificateTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly KeyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_and_a_client_get_certificates_that_openssl_trusts_for_their_use_alone()
    {
        await _folder.MadeAsync("ca tls --name 'Shop CA'");
        await _folder.MadeAsync("certificate tls node --host node.example.org --host 10.0.0.7 --host ::1");
        string said = await _folder.MadeAsync("certificate tls billing --client");
        Assert.Contains("""  "billing": { "certificate": ["DNS:billing"] }""", said);

        (_, string node) = await _folder.OpenSslAsync("x509 -in tls/node.pem -noout -text");
        Assert.Contains("DNS:node.example.org, IP Address:10.0.0.7, IP Address:0:0:0:0:0:0:0:1", node);
        Assert.Contains("Issuer: CN = Shop CA", node);
        Assert.Contains("prime256v1", node);
        Assert.Contains("X509v3 Key Usage: critical\n                Digital Signature\n", node);
        Assert.Contains("CA:FALSE", node);

        const string Strict = "verify -x509_strict -CAfile tls/ca.pem";
        Assert.Equal((0, "tls/node.pem: OK\n"), await _folder.OpenSslAsync($"{Strict} -purpose sslserver -verify_hostname node.example.org tls/node.pem"));
        Assert.Equal((0, "tls/node.pem: OK\n"), await _folder.OpenSslAsync($"{Strict} -purpose sslserver -verify_ip ::1 tls/node.pem"));
        Assert.Equal((0, "tls/billing.pem: OK\n"), await _folder.OpenSslAsync($"{Strict} -purpose sslclient tls/billing.pem"));
        Assert.Contains("hostname mismatch", (await _folder.OpenSslAsync($"{Strict} -verify_hostname example.org tls/node.pem")).Output);
        Assert.Contains("unsuitable certificate purpose", (await _folder.OpenSslAsync($"{Strict} -purpose sslclient tls/node.pem")).Output);
        Assert.Contains("unsuitable certificate purpose", (await _folder.OpenSslAsync($"{Strict} -purpose sslserver tls/billing.pem")).Output);
    }

    [Fact]
    public async Task A_revoked_certificate_is_refused_and_the_others_are_not()
    {
        const string Verify = "verify -CAfile tls/ca.pem -CRLfile tls/clients.crl -crl_check -purpose sslclient";
        await _folder.MadeAsync("ca tls");
        await _folder.MadeAsync("certificate tls billing --client --uri spiffe://shop/billing");
        await _folder.MadeAsync("certificate tls stock --client");
        string old = (await _folder.MadeAsync("certificate tls report --client")).Split('\n').Single(line => line.StartsWith("serial ", StringComparison.Ordinal));
        await _folder.MadeAsync("revoke tls");
        Assert.Equal(0, (await _folder.OpenSslAsync($"{Verify} tls/billing.pem")).Code); // with a list on which nobody is

        await _folder.MadeAsync("revoke tls billing");
        await _folder.MadeAsync("certificate tls report --client --force");
        await _folder.MadeAsync($"revoke tls --{old.Replace("serial ", "serial=")}"); // of the certificate whose file is gone
        Assert.Contains("certificate revoked", (await _folder.OpenSslAsync($"{Verify} tls/billing.pem")).Output);
        Assert.Equal(0, (await _folder.OpenSslAsync($"{Verify} tls/stock.pem")).Code);
        Assert.Equal(0, (await _folder.OpenSslAsync($"{Verify} tls/report.pem")).Code);
        Assert.Contains("was revoked before", await _folder.MadeAsync("revoke tls billing --days 7"));

        (_, string list) = await _folder.OpenSslAsync("crl -in tls/clients.crl -noout -text");
        Assert.Contains("X509v3 CRL Number: \n                4\n", list);
        Assert.Equal(2, list.Split("Serial Number:").Length - 1);
        Assert.Contains(old["serial ".Length..], list);
        Assert.Contains("has expired", (await _folder.OpenSslAsync($"{Verify} -attime {DateTimeOffset.UtcNow.AddDays(8).ToUnixTimeSeconds()} tls/stock.pem")).Output);
    }

    [Fact]
    public async Task Private_keys_are_for_their_owner_alone_whatever_the_umask()
    {
        await _folder.MadeAsync("ca tls", before: "umask 0;");
        await _folder.MadeAsync("certificate tls node", before: "umask 0;");
        Assert.Equal(OwnerOnly, _folder.Mode("tls/ca.key"));
        Assert.Equal(OwnerOnly, _folder.Mode("tls/node.key"));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, _folder.Mode("tls"));
        Assert.Equal(OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead, _folder.Mode("tls/node.pem"));
        Assert.Equal(4, Directory.GetFiles(_folder["tls"]).Length); // and nothing is left over
    }

    [Fact]
    public async Task Nothing_is_replaced_unless_the_user_says_so()
    {
        await _folder.MadeAsync("ca tls");
        await _folder.MadeAsync("certificate tls node");
        string key = File.ReadAllText(_folder["tls/node.key"]), authority = File.ReadAllText(_folder["tls/ca.key"]);
        Assert.Equal((2, "", "tls/ca.key is there already, and nothing was written; --force replaces it\n"), await _folder.KeysAsync("ca tls"));
        Assert.Equal(
            (2, "", "tls/node.key is there already, and nothing was written; --force replaces it\n"), await _folder.KeysAsync("certificate tls node"));
        File.Delete(_folder["tls/node.key"]); // one of the two is enough
        File.CreateSymbolicLink(_folder["tls/node.key"], _folder["elsewhere"]);
        Assert.Equal(2, (await _folder.KeysAsync("certificate tls node")).Code);
        Assert.False(File.Exists(_folder["elsewhere"]));
        Assert.Equal(authority, File.ReadAllText(_folder["tls/ca.key"]));

        await _folder.MadeAsync("certificate tls node --force");
        Assert.NotEqual(key, File.ReadAllText(_folder["tls/node.key"]));
        Assert.Null(new FileInfo(_folder["tls/node.key"]).LinkTarget);
        Assert.Equal(0, (await _folder.OpenSslAsync("verify -CAfile tls/ca.pem tls/node.pem")).Code);
    }

    [Theory]
    [InlineData("certificate tls ../node", "'../node' is no name for a key: ")]
    [InlineData("certificate tls .node", "'.node' is no name for a key: ")]
    [InlineData("certificate tls ca --client", "the files 'ca' are the authority's: choose another name")]
    [InlineData("certificate tls a..b", "'a..b' cannot be the name of a host or a client: give --host, or --uri")]
    [InlineData("certificate tls node --host 'a b'", "--host: 'a b' is neither the name of a host nor an address")]
    [InlineData("certificate tls node --host 1.2.3", "--host: '1.2.3' is neither the name of a host nor an address")]
    [InlineData("certificate tls node --host '*'", "--host: '*' is neither the name of a host nor an address")]
    [InlineData("certificate tls node --client --host x", "--host is for nodes: a client has its own name, or --uri")]
    [InlineData("certificate tls node --client --uri nowhere", "--uri: 'nowhere' is no URI, such as spiffe://shop/billing")]
    [InlineData("certificate tls node --uri a:b", "--uri is for clients: give --client too")]
    [InlineData("certificate tls node --days 0", "--days: a number from 1 to 36500 is needed")]
    [InlineData("certificate none node", "none/ca.pem is not there: 'cocaine-fast keys ca none' makes an authority")]
    [InlineData("revoke tls node --serial 12", "a name and --serial are both the certificate: give one of them")]
    [InlineData("revoke tls --serial xyz", "--serial: a hexadecimal number of at most 40 digits is needed")]
    [InlineData("ca tls --name ''", "--name: at most 64 printable letters of ASCII are needed")]
    [InlineData("new a.b --keys k", "'a.b' is no name for a key: ")]
    public async Task A_mistake_is_told_and_nothing_is_made(string words, string text)
    {
        (int code, string output, string errors) = await _folder.KeysAsync(words);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith(text, errors);
        Assert.Empty(Directory.GetDirectories(_folder.Files.Path));
    }

    [Fact]
    public async Task An_authority_that_is_not_whole_or_not_safe_signs_nothing()
    {
        await _folder.MadeAsync("ca tls");
        await _folder.MadeAsync("ca other");
        await _folder.MadeAsync("certificate other client --client");
        File.Copy(_folder["other/client.pem"], _folder["tls/client.pem"]);
        Assert.Contains("another authority has signed it", (await _folder.KeysAsync("revoke tls client")).Errors);

        File.SetUnixFileMode(_folder["tls/ca.key"], OwnerOnly | UnixFileMode.GroupRead);
        Assert.Equal((2, "", "tls/ca.key: it can be reached by its group (mode 0640): chmod 600\n"), await _folder.KeysAsync("certificate tls node"));
        File.SetUnixFileMode(_folder["tls/ca.key"], OwnerOnly);
        File.WriteAllText(_folder["tls/ca.key"], File.ReadAllText(_folder["other/ca.key"]));
        (int code, _, string errors) = await _folder.KeysAsync("certificate tls node");
        Assert.Equal(2, code);
        Assert.StartsWith("tls/ca.pem and tls/ca.key are damaged, or do not belong together: ", errors);

        File.Copy(_folder["other/client.pem"], _folder["other/ca.pem"], overwrite: true);
        File.Copy(_folder["other/client.key"], _folder["other/ca.key"], overwrite: true);
        Assert.Contains("is no certificate of an authority", (await _folder.KeysAsync("certificate other node")).Errors);
    }

    [Fact]
    public async Task A_folder_that_others_can_change_gets_no_authority()
    {
        Directory.CreateDirectory(_folder["tls"]);
        File.SetUnixFileMode(_folder["tls"], (UnixFileMode)0x1ff);
        (int code, _, string errors) = await _folder.KeysAsync("ca tls");
        Assert.Equal(1, code);
        Assert.Contains("cannot be trusted", errors);
        Assert.Empty(Directory.GetFiles(_folder["tls"]));
    }
}
