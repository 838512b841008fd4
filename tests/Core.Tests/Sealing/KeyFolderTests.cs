using System.Security.Cryptography;
using Cocaine.Fast.Core.Sealing;
using static Cocaine.Fast.Core.Tests.Sealing.SealVectors;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>A folder of keys: which files count, which names they give, and the mistakes with their remedies.</summary>
public sealed class KeyFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keys").FullName;

    public KeyFolderTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "own"));
        Add("own/node.pem", Text("node"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Keys_have_the_names_of_their_files_and_one_may_replace_another()
    {
        Add("billing.pub", Public("sender"));
        Add("billing.2.pub", Public("other"));
        Add("notes.txt", "no key");
        KeyRing ring = Read();
        Assert.Equal(["billing", "billing"], ring.Callers.Select(key => key.Name));
        Assert.Equal(NodeName, ring.Newest!.Thumbprint);
    }

    [Fact]
    public void The_newest_own_key_is_the_present_one_and_all_open()
    {
        Add("own/old.pem", Text("other"));
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "own/old.pem"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        KeyRing ring = Read();
        Assert.Equal(NodeName, ring.Newest!.Thumbprint);
        Assert.Equal(2, ring.Own.Count);
    }

    [Fact]
    public void A_changed_folder_looks_different()
    {
        KeyFolder folder = new(_folder);
        string before = folder.Look();
        Assert.Equal(before, folder.Look());
        Add("billing.pub", Public("sender"));
        Assert.NotEqual(before, folder.Look());
    }

    [Theory]
    [InlineData(1024, "a key of 1024 bits: expected 2048 to 4096 bits")]
    [InlineData(4608, "a key of 4608 bits: expected 2048 to 4096 bits")]
    public void Keys_have_a_good_size(int bits, string problem)
    {
        using RSA key = RSA.Create(bits);
        Add("billing.pub", key.ExportSubjectPublicKeyInfoPem());
        Assert.Equal($"{_folder}/billing.pub: {problem}", Problem());
    }

    [Fact]
    public void Other_exponents_are_refused()
    {
        RSAParameters parameters = Private("sender").ExportParameters(false);
        using RSA key = RSA.Create(new RSAParameters { Modulus = parameters.Modulus, Exponent = [3] });
        Add("billing.pub", key.ExportSubjectPublicKeyInfoPem());
        Assert.EndsWith("the key's public exponent is not 65537", Problem());
    }

    [Fact]
    public void Other_files_than_one_key_are_refused()
    {
        Add("billing.pub", Text("sender"));
        Assert.Contains("a private key where a public one belongs", Problem());
        Add("billing.pub", Public("sender") + "\n" + Public("other"));
        Assert.EndsWith("more than one key: expected one", Problem());
        Add("billing.pub", "hello");
        Assert.EndsWith("no PEM: expected -----BEGIN PUBLIC KEY-----", Problem());
        using ECDsa curve = ECDsa.Create();
        Add("billing.pub", curve.ExportSubjectPublicKeyInfoPem());
        Assert.EndsWith("not an RSA key", Problem());
        Add("billing.pub", Private("sender").ExportRSAPublicKeyPem());
        Assert.Contains("found -----BEGIN RSA PUBLIC KEY-----", Problem());
        Add("billing.pub", new string('x', 20_000));
        Assert.Contains("too many for a key", Problem());
    }

    [Fact]
    public void A_file_or_folder_that_cannot_be_trusted_is_refused()
    {
        List<string> problems = [];
        Assert.Null(new KeyFolder(_folder) { FileProblem = static (_, isOwn) => isOwn ? "its owner" : null }.Read(problems));
        Assert.Equal([$"{_folder}/own/node.pem: its owner"], problems);
        problems.Clear();
        Assert.Null(new KeyFolder(_folder) { FolderProblem = static path => $"{path} is open" }.Read(problems));
        Assert.Equal([$"{_folder} is open", $"{_folder}/own is open"], problems);
    }

    [Fact]
    public void One_key_has_one_name()
    {
        Add("billing.pub", Public("sender"));
        Add("deploy.pub", Public("sender"));
        Assert.Equal("billing and deploy have the same key: each needs its own", Problem());
    }

    [Theory]
    [InlineData("billing.pub", "billing")]
    [InlineData("billing.12.pub", "billing")]
    [InlineData("a-b_C9.pub", "a-b_C9")]
    [InlineData("bil.ling.pub", null)]
    [InlineData("billing..pub", null)]
    [InlineData(".2.pub", null)]
    [InlineData("böse.pub", null)]
    public void Names_are_plain(string file, string? name) => Assert.Equal(name, KeyFolder.NameOf(file));

    [Fact]
    public void A_missing_folder_is_a_problem()
    {
        List<string> problems = [];
        Assert.Null(new KeyFolder("/nowhere/keys").Read(problems));
        Assert.StartsWith("/nowhere/keys: ", Assert.Single(problems));
    }

    private static string Public(string key) => Private(key).ExportSubjectPublicKeyInfoPem();

    private void Add(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private KeyRing Read()
    {
        List<string> problems = [];
        KeyRing? ring = new KeyFolder(_folder).Read(problems);
        Assert.Empty(problems);
        return ring!;
    }

    private string Problem()
    {
        List<string> problems = [];
        Assert.Null(new KeyFolder(_folder).Read(problems));
        return Assert.Single(problems);
    }
}
