using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Host.Tests.Keys;

/// <summary>Pairs of RSA keys and tokens.</summary>
public sealed class RsaKeyTests : IDisposable
{
    private readonly KeyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_pair_is_one_that_openssl_and_the_check_accept()
    {
        string said = await _folder.MadeAsync("new billing --keys keys", before: "umask 0;");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, _folder.Mode("keys/own/billing.pem"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, _folder.Mode("keys/own"));
        Assert.Equal((0, "Key is valid\n"), await _folder.OpenSslAsync("pkey -in keys/own/billing.pem -check -noout"));
        await _folder.OpenSslAsync("pkey -in keys/own/billing.pem -pubout -out derived.pub");
        Assert.Equal(File.ReadAllText(_folder["keys/billing.pub"]), File.ReadAllText(_folder["derived.pub"]));
        Assert.Contains("Public-Key: (3072 bit)", (await _folder.OpenSslAsync("pkey -pubin -in keys/billing.pub -noout -text")).Output);
        Assert.Contains("BEGIN PRIVATE KEY", File.ReadAllText(_folder["keys/own/billing.pem"]));

        Assert.Equal("ok\n", await _folder.MadeAsync("check --keys keys"));
        using JsonDocument list = JsonDocument.Parse(await _folder.MadeAsync("list --keys keys --json"));
        Assert.Equal([true, false], list.RootElement.EnumerateArray().Select(key => key.GetProperty("own").GetBoolean()));
        Assert.All(list.RootElement.EnumerateArray(), key => Assert.EndsWith($"kid {key.GetProperty("kid").GetString()}\n", said));
        string shown = await _folder.MadeAsync("show billing --keys keys");
        Assert.Contains(File.ReadAllText(_folder["keys/billing.pub"]), shown);
        Assert.DoesNotContain("PRIVATE", shown);

        (int again, _, string errors) = await _folder.KeysAsync("new billing --keys keys");
        Assert.Equal((2, "keys/own/billing.pem is there already, and nothing was written; --force replaces it\n"), (again, errors));
    }

    [Fact]
    public async Task Every_mistake_in_the_folder_is_told()
    {
        await _folder.MadeAsync("new good --keys keys");
        await _folder.MadeAsync("new loose --keys keys");
        await _folder.MadeAsync("new swapped --keys keys");
        File.SetUnixFileMode(_folder["keys/own/loose.pem"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        File.SetUnixFileMode(_folder["keys/loose.pub"], (UnixFileMode)0x1b6);
        File.SetUnixFileMode(_folder["keys"], (UnixFileMode)0x1ed);
        File.Copy(_folder["keys/good.pub"], _folder["keys/swapped.pub"], overwrite: true);
        File.Copy(_folder["keys/own/good.pem"], _folder["keys/leaked.pub"]);
        await _folder.OpenSslAsync("genrsa -out weak.pem 1024");
        await _folder.OpenSslAsync("rsa -in weak.pem -pubout -out keys/weak.pub");
        await _folder.OpenSslAsync("genrsa -3 -out three.pem 2048");
        await _folder.OpenSslAsync("rsa -in three.pem -pubout -out keys/three.pub");
        await _folder.OpenSslAsync("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out curve.pem");
        await _folder.OpenSslAsync("pkey -in curve.pem -pubout -out keys/curve.pub");
        await _folder.OpenSslAsync("pkcs8 -topk8 -in keys/own/good.pem -passout pass:x -out keys/own/closed.pem");
        File.Copy(_folder["keys/good.pub"], _folder["keys/a b.pub"]);
        _folder.Files.Write("keys/text.pub", "no key");
        _folder.Files.Write("keys/long.pub", new string('x', 20_000));
        File.WriteAllText(_folder["keys/two.pub"], File.ReadAllText(_folder["keys/good.pub"]) + File.ReadAllText(_folder["keys/loose.pub"]));
        File.CreateSymbolicLink(_folder["keys/gone.pub"], "nowhere");

        (int code, string output, string errors) = await _folder.KeysAsync("check --keys keys");
        Assert.Equal((2, ""), (code, output));
        string[] expected =
        [
            "keys: it can be reached by every user (mode 0755): chmod 700",
            "keys/own/closed.pem: ", // written with the mode of openssl, or encrypted
            "keys/own/loose.pem: it can be reached by every user (mode 0604): chmod 600",
            "keys/a b.pub: its name is no name for a key: ",
            "keys/curve.pub: not an RSA key",
            "keys/gone.pub: it is a link that leads nowhere",
            "keys/leaked.pub: a private key where a public one belongs: ",
            "keys/long.pub: it is no file of a key: one has at most 16 KiB",
            "keys/loose.pub: others than its owner can change it (mode 0666): chmod go-w",
            "keys/text.pub: no PEM: expected -----BEGIN PUBLIC KEY-----",
            "keys/three.pub: the key's public exponent is not 65537",
            "keys/two.pub: more than one key: expected one",
            "keys/weak.pub: a key of 1024 bits: expected 2048 to 4096 bits",
            "keys/own/swapped.pem: swapped.pub is not the public key of this one",
        ];
        string[] told = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(expected.Length == told.Length, errors);
        Assert.All(expected.Zip(told), pair => Assert.StartsWith(pair.First, pair.Second));
        Assert.Contains("weak", await _folder.MadeAsync("list --keys keys")); // a list has all keys, the wrong ones too
    }

    [Fact]
    public async Task One_key_under_two_names_is_a_mistake()
    {
        await _folder.MadeAsync("new billing --keys keys");
        File.Copy(_folder["keys/billing.pub"], _folder["keys/stock.pub"]);
        Assert.Equal((2, "", "billing and stock have the same key: each needs its own\n"), await _folder.KeysAsync("check --keys keys"));
    }

    [Fact]
    public async Task A_token_is_shown_once_with_the_hash_for_the_config()
    {
        string[] lines = (await _folder.MadeAsync("token batch")).Split('\n');
        Assert.Equal(43, lines[0].Length);
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(lines[0])));
        Assert.Equal($$"""  "batch": { "token": ["sha256:{{hash}}"] }""".Trim(), lines[1].Trim());
        Assert.NotEqual(lines[0], (await _folder.MadeAsync("token batch")).Split('\n')[0]);
        Assert.Empty(Directory.GetDirectories(_folder.Files.Path)); // nothing is kept
    }
}
