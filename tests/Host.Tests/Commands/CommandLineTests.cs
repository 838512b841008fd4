using System.CommandLine;
using Cocaine.Fast.Host.Commands.Shells;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>The words of command lines: help, mistakes and what shells complete.</summary>
public class CommandLineTests
{
    public static TheoryData<string> Commands => [.. All(ProgramCommand.Create(), "cocaine-fast").Select(pair => pair.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_an_example_in_its_help_that_it_understands(string name)
    {
        RootCommand root = ProgramCommand.Create();
        Command command = All(root, "cocaine-fast").Single(pair => pair.Name == name).Command;
        string[] examples = [.. (command.Description ?? "").Split("\nExample")[^1].Split('\n').Skip(1).Select(line => line.Trim())];
        Assert.True((command.Description ?? "").Contains("\nExample"), $"{name} has no example");
        foreach (string example in examples.Where(line => line.StartsWith("cocaine-fast ", StringComparison.Ordinal)))
        {
            ParseResult parsed = root.Parse(example.Split(" > ")[0]["cocaine-fast ".Length..]);
            Assert.True(parsed.Errors.Count == 0, $"{example}: {string.Join(' ', parsed.Errors)}");
        }
    }

    [Fact]
    public void The_list_of_commands_has_a_short_line_for_each()
    {
        RootCommand root = ProgramCommand.Create();
        HelpExamples.ShortenList(root);
        StringWriter help = new();
        root.Parse("--help").Invoke(new InvocationConfiguration { Output = help });
        Assert.InRange(help.ToString().Split('\n').Length, root.Subcommands.Count, 50);
        Assert.Matches("(?m)^  check <file> +Check manifests and configs, and report every mistake at once$", help.ToString());
    }

    [Theory]
    [InlineData("aplist", "'cocaine-fast' has no command 'aplist'; did you mean 'app list'?")]
    [InlineData("chek x.json", "'cocaine-fast' has no command 'chek'; did you mean 'check'?")]
    [InlineData("pause echo", "'cocaine-fast' has no command 'pause'; did you mean 'app pause'?")]
    [InlineData("app lst", "'cocaine-fast app' has no command 'lst'; did you mean 'list'?")]
    [InlineData("quarantine eat", "'cocaine-fast quarantine' has no command 'eat'; there are: list, show, replay, drop")]
    [InlineData("app", "'cocaine-fast app' needs one of its commands: create, replace, ")]
    [InlineData("call", "'cocaine-fast call' needs <endpoint>: tcp://HOST:PORT, tls://HOST:PORT or ipc:///path")]
    [InlineData("call tcp://lo:1 echo --dat x", "'cocaine-fast call' has no option '--dat'; did you mean '--data'?")]
    [InlineData("call tcp://lo:1 echo --ca ca.pem", "--ca is for endpoints with TLS: tls://HOST:PORT")]
    [InlineData("bench ipc:///x echo --server-name x", "--server-name is for endpoints with TLS: tls://HOST:PORT")]
    [InlineData("call tcp://lo:1 echo --seal a.pem --app shop", "--seal needs --node-key too: a sealed call has --seal, --node-key and --app")]
    [InlineData("call tcp://lo:1 echo --app shop", "--app needs --seal too: ")]
    [InlineData("schema extra", "'extra' is one word too many for 'cocaine-fast schema'")]
    [InlineData("run x --log-level loud", "--log-level: 'loud' is none of: ")]
    [InlineData("run x --log-format yaml", "--log-format: 'yaml' is none of: text, json")]
    [InlineData("run x --loops many", "--loops: 'many' is no whole number")]
    [InlineData("app scale echo --limit many", "--limit: 'many' is no whole number")]
    [InlineData("app delete echo --drain-timeout 5s", "--drain-timeout: '5s' is no number")]
    [InlineData("why last", "<job>: 'last' is no whole number from 0")]
    [InlineData("why", "say which jobs: an id, --last-failed, --slow or --running")]
    [InlineData("completion tcsh", "<shell>: 'tcsh' is none of: bash, zsh, fish")]
    public void A_mistake_is_told_in_one_sentence_with_the_nearest_name(string words, string text) =>
        Assert.StartsWith(text, Mistake.Text(ProgramCommand.Create().Parse(words), NameOf(words)));

    [Theory]
    [InlineData("run --lop 3 x.json", "--lop")]
    [InlineData("check -x a.json", "-x")]
    [InlineData("worker-check -- python3 --odd", null)]
    [InlineData("call tcp://lo:1 echo --data -x", null)]
    [InlineData("run x.json", null)]
    public void An_option_that_there_is_not_is_no_argument(string words, string? option)
    {
        string[] split = words.Split(' ');
        Assert.Equal(option, Mistake.TakenForArgument(ProgramCommand.Create().Parse(split), split));
    }

    [Theory]
    [InlineData("app li", "list")]
    [InlineData("new ", "python")]
    [InlineData("run --log-level ", "Warning")]
    [InlineData("call --", "--deadline")]
    [InlineData("completion ", "fish")]
    [InlineData("sdk ", "cpp")]
    public void A_shell_is_offered_what_may_come(string line, string word) =>
        Assert.Contains(word, ProgramCommand.Create().Parse(line).GetCompletions(line.Length).Select(item => item.Label));

    private static string NameOf(string words) => words.Split(' ')[0] switch
    {
        "app" => "cocaine-fast app",
        "quarantine" => "cocaine-fast quarantine",
        "call" => "cocaine-fast call",
        "schema" => "cocaine-fast schema",
        _ => "cocaine-fast",
    };

    private static IEnumerable<(string Name, Command Command)> All(Command command, string name) =>
        command.Subcommands.SelectMany(below => All(below, $"{name} {below.Name}")).Prepend((name, command));
}
