using System.Diagnostics;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>What the shells' scripts offer.</summary>
public class CompletionTests
{
    /// <summary>Lines as they are when TAB is pressed, and the one word that fits.</summary>
    private static readonly (string Line, string Offered)[] Lines =
    [
        ("cocaine-fast app li", "list"),
        ("cocaine-fast new per", "perl"),
        ("cocaine-fast run x.json --log-level War", "Warning"),
        ("cocaine-fast call --dead", "--deadline"),
    ];

    private static readonly string Folder = Path.GetDirectoryName(TerminalProgram.Path)!;

    [Theory]
    [InlineData("cocaine-fast app li", "list")]
    [InlineData("cocaine-fast new per", "perl")]
    [InlineData("cocaine-fast run x.json --log-level War", "Warning")]
    [InlineData("cocaine-fast call --dead", "--deadline")]
    [InlineData("cocaine-fast run ", "")] // files, which the shell knows
    public async Task Bash_offers_it(string line, string offered) => Assert.Equal(offered, await BashAsync(line));

    [Fact]
    public async Task Bash_offers_commands_before_options()
    {
        string[] offered = (await BashAsync("cocaine-fast quarantine ")).Split('\n');
        Assert.Equal(["drop", "list", "replay", "show"], offered.Order(StringComparer.Ordinal));
    }

    [NeedsFact("zsh", "zsh")]
    public Task Zsh_can_read_its_script() => CanReadAsync("zsh");

    [NeedsFact("fish", "fish")]
    public Task Fish_can_read_its_script() => CanReadAsync("fish");

    [NeedsFact("fish", "fish")]
    public async Task Fish_offers_it()
    {
        foreach ((string line, string offered) in Lines)
        {
            (int code, string output, string error) = await RunAsync(
                "/usr/bin/env", "fish", "--no-config", "-c", $"{TerminalProgram.Path} completion fish | source; complete -C '{line}'");
            Assert.Equal((0, offered + "\n", ""), (code, output, error));
        }
    }

    /// <summary>Its completion works in a terminal only: what it would offer there is printed by a compadd of the test's.</summary>
    [NeedsFact("zsh", "zsh")]
    public async Task Zsh_offers_it()
    {
        foreach ((string line, string offered) in Lines)
        {
            string[] words = line.Split(' ');
            string script = $$"""
                compdef() { : }
                compadd() { shift; print -rl -- "$@" }
                _files() { print files }
                source <({{TerminalProgram.Path}} completion zsh)
                words=({{string.Join(' ', words.Select(word => $"'{word}'"))}}) CURRENT={{words.Length}}
                _cocaine_fast
                """;
            (int code, string output, string error) = await RunAsync("/usr/bin/env", "zsh", "-f", "-c", script);
            Assert.Equal((0, offered, ""), (code, output.Trim().Split('\n').FirstOrDefault(one => one.StartsWith(words[^1], StringComparison.Ordinal)), error));
        }
    }

    [Fact]
    public async Task Apps_are_offered_by_their_names_and_a_node_that_does_not_answer_is_not_waited_for()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await node.Client.CreateAsync(node.Text(1));
        Assert.Equal(["app"], NamesOf(node.Endpoint, TimeSpan.FromMinutes(1)));
        Assert.Empty(NamesOf("ipc:///nowhere/control.sock", TimeSpan.FromMinutes(1)));

        string path = Path.Combine(node.Folder, "silent.sock");
        using System.Net.Sockets.Socket silent = new(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        silent.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
        silent.Listen();
        Stopwatch took = Stopwatch.StartNew();
        Assert.Empty(NamesOf($"ipc://{path}", TimeSpan.FromMilliseconds(200)));
        Assert.InRange(took.Elapsed.TotalSeconds, 0.1, 10);
    }

    private static IReadOnlyList<string> NamesOf(string endpoint, TimeSpan patience) =>
        AppNames.Of(end => NodeControlClient.ConnectAsync(endpoint, end), patience);

    private static async Task<string> BashAsync(string line)
    {
        string[] words = line.Split(' ');
        string script = $$"""
            source <({{TerminalProgram.Path}} completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{string.Join(' ', words.Select(word => $"'{word}'"))}}) COMP_CWORD={{words.Length - 1}}
            _cocaine_fast
            (IFS=$'\n'; printf '%s' "${COMPREPLY[*]}")
            complete -p cocaine-fast >&2
            """;
        (int code, string output, string error) = await RunAsync("/bin/bash", "-c", script);
        Assert.Equal((0, "complete -o bashdefault -o default -F _cocaine_fast cocaine-fast\n"), (code, error));
        return output;
    }

    private static async Task CanReadAsync(string shell)
    {
        (int code, _, string error) = await RunAsync("/bin/sh", "-c", $"{TerminalProgram.Path} completion {shell} | {shell} -n");
        Assert.Equal((0, ""), (code, error));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string program, params string[] words)
    {
        ProcessStartInfo start = new(program, words) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{Folder}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token);
        return (process.ExitCode, await output, await error);
    }
}
