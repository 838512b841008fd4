using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>The commands of docs/security.md, word by word.</summary>
public sealed class SecurityPageTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Its_commands_say_what_the_page_says()
    {
        const string Page = "docs/security.md";
        string[] others = [.. ((string[])["TLS", "Callers", "Sealed jobs", "Control from other hosts"]).SelectMany(section => CodeBlocks.Of(Page, section))];
        string[] blocks = [.. CodeBlocks.Of(Page).Except(others)];
        _folder.Write("app.py", "");
        _folder.Write("open.json", blocks.Single(block => block.Contains("\"tasks\"") && !block.Contains("\"tls\"")));
        _folder.Write("node.json", blocks.Single(block => block.Contains("\"zeromq\"")));
        _folder.Write("rules.json", blocks.Single(block => block.Contains("\"identities\"")));
        _folder.Write("typo.json", """
            { "security": { "identities": { "billing": { "user": "root" } }, "rights": [{ "who": "biling", "call": { "*": "*" } }] } }
            """);
        string[] commands = [.. blocks.Select(block => block.Replace("chmod 600 rules.json\n", "", StringComparison.Ordinal))
            .Where(block => block.StartsWith("cocaine-fast ", StringComparison.Ordinal))];
        File.SetUnixFileMode(_folder["rules.json"], UnixFileMode.UserRead | UnixFileMode.UserWrite); // as the page does
        Assert.Equal(4, commands.Length);
        foreach (string command in commands)
        {
            string[] lines = command.Split('\n', 2);
            (int code, string output, string errors) = await HostProcess.RunAsync(
                _folder, lines[0]["cocaine-fast ".Length..], before: $"cd '{_folder.Path}';");
            Assert.Equal(lines[1] + "\n", errors + output);
            Assert.Equal(lines[1] == "ok" || lines[1].EndsWith("\nok", StringComparison.Ordinal) ? 0 : 2, code);
        }
    }
}
