using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>Variables of a worker with values from files: <c>args.env-files</c>.</summary>
public sealed class EnvFilesTests : IDisposable
{
    private const string Code = """
        import os

        def tell(request):
            return "%s|%s" % (os.environ.get("SECRET"), os.environ.get("UNIT"))

        def die(request):
            os._exit(1)
        """;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_worker_has_the_values_of_the_files_at_its_start_and_nothing_else_shows_them()
    {
        WriteSecret("secret", "se¢ret \n of the shop\n");
        WriteSecret("credentials/unit", "of the unit");
        using RunProcess node = RunProcess.Start(
            _folder, Code, more: "\"engine\": { \"pool-limit\": 1, \"retry-limit\": 0 }",
            args: "\"env-files\": { \"SECRET\": \"secret\", \"UNIT\": \"${CREDENTIALS_DIRECTORY}/unit\" }",
            environment: ("CREDENTIALS_DIRECTORY", _folder["credentials"]));
        await using CocaineClient client = await node.ConnectAsync();
        Assert.Equal("se¢ret \n of the shop|of the unit", await TellAsync(client));
        Assert.DoesNotContain("of the", Encoding.UTF8.GetString(await client.InfoAsync()));

        WriteSecret("secret", "another");
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die", Utf8.Of("")));
        Assert.Equal("another|of the unit", await TellAsync(client));
        Assert.DoesNotContain("of the", node.Log);
        Assert.DoesNotContain("another|", node.Log);
    }

    [Theory]
    [InlineData(0x1a0, "it can be reached by its group (mode 0640): chmod 600")]
    [InlineData(0x184, "it can be reached by every user (mode 0604): chmod 600")]
    public async Task A_secret_that_others_can_read_is_refused(int mode, string problem)
    {
        WriteSecret("secret", "of the shop", (UnixFileMode)mode);
        await IsRefusedAsync("secret", $"{_folder["secret"]}: {problem}");
    }

    [Fact]
    public async Task A_secret_that_no_variable_can_have_is_refused()
    {
        WriteSecret("long", new string('x', (64 << 10) + 1));
        await IsRefusedAsync("long", $"{_folder["long"]}: longer than 65536 bytes");
        WriteSecret("zero", "a\0b");
        await IsRefusedAsync("zero", $"{_folder["zero"]}: has a zero byte, which no variable can have");
        File.WriteAllBytes(_folder["latin"], [0x61, 0xff]);
        File.SetUnixFileMode(_folder["latin"], UnixFileMode.UserRead);
        await IsRefusedAsync("latin", $"{_folder["latin"]}: is no UTF-8 text");
    }

    [Fact]
    public async Task A_credential_without_a_folder_of_the_unit_is_told_with_the_remedy() =>
        await IsRefusedAsync(
            "${CREDENTIALS_DIRECTORY}/db", "CREDENTIALS_DIRECTORY is not set: add LoadCredential=db:FILE to the node's unit, or give a path");

    private static async Task<string> TellAsync(CocaineClient client) =>
        Encoding.UTF8.GetString(await client.CallAsync("tell", Utf8.Of("")).WaitAsync(TimeSpan.FromSeconds(60)));

    private async Task IsRefusedAsync(string path, string problem)
    {
        using RunProcess node = RunProcess.Start(
            _folder, Code, args: $"\"env-files\": {{ \"SECRET\": \"{path}\" }}", environment: ("CREDENTIALS_DIRECTORY", null));
        Assert.Equal(1, await node.ExitAsync());
        Assert.Contains($"args.env-files: SECRET: {(path[0] == '$' ? path + ": " : "")}{problem}", node.Log);
        Assert.DoesNotContain("of the shop", node.Log);
    }

    private void WriteSecret(string name, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        _folder.Write(name, text);
        File.SetUnixFileMode(_folder[name], mode);
    }
}
