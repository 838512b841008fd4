using System.Diagnostics;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Languages.Tests.Cpp;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

/// <summary>What <c>new</c> makes: its test passes, and it runs at once.</summary>
public sealed class NewAppTests : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");
    private readonly string _folder = Directory.CreateTempSubdirectory("new-app-").FullName;
    private readonly string _temporary = Directory.CreateTempSubdirectory("new-app-tmp-").FullName;

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        Directory.Delete(_temporary, recursive: true);
    }

    [Fact]
    public Task Python() => MakeAndUseAsync("python", ["/usr/bin/env", "python3", "test_app.py"]);

    [NeedsFact("perl", "perl")]
    public Task Perl() => MakeAndUseAsync("perl", ["/usr/bin/env", "perl", "test.pl"]);

    [NeedsFact("node", "nodejs")]
    public Task JavaScript() => MakeAndUseAsync("javascript", ["/usr/bin/env", "node", "test.mjs"]);

    [CppFact("make")]
    public Task Cpp() => MakeAndUseAsync("cpp", ["/usr/bin/env", "make", "build/app", "test"]);

    [Fact]
    public Task DotNet() => MakeAndUseAsync(
        "dotnet",
        ["/usr/bin/env", "dotnet", "build", "App.csproj", "-c", "Release", "-v", "quiet", "--nologo"],
        ["/usr/bin/env", "dotnet", "run", "--project", "tests"]);

    [Fact]
    public async Task Nothing_is_overwritten_and_mistakes_are_told()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "there"));
        (int code, string text) = await RunAsync(_folder, Program, "new", "python", "there");
        Assert.Equal((2, "there is there already; nothing was written\n"), (code, text));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "there")));
        (code, text) = await RunAsync(_folder, Program, "new", "cobol", "app");
        Assert.Equal(2, code);
        Assert.StartsWith("'cobol' is no language of apps: ", text, StringComparison.Ordinal);
        (code, text) = await RunAsync(_folder, Program, "new", "python", "My App");
        Assert.Equal(2, code);
        Assert.StartsWith("'My App' is no app name", text, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task What_is_printed_can_be_pasted_where_the_program_is_not_on_the_path_and_the_folder_has_a_space()
    {
        string folder = Path.Combine(_folder, "it's a folder"), elsewhere = Path.Combine(_folder, "elsewhere");
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(elsewhere);
        (int code, string text) = await RunAsync(elsewhere, "/usr/bin/env", "PATH=/usr/bin:/bin", Program, "new", "python", $"{folder}/first");
        Assert.True(code == 0, text);
        string[] lines = [.. text.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim())];
        Assert.Equal($"export PATH={Path.GetDirectoryName(Program)}:\"$PATH\"", lines[0]);
        string pasted = string.Join(" && ", lines[..2].Append(lines[2].Replace("cocaine-fast run ", "cocaine-fast check ").Replace(" --locator none", "")));
        (code, text) = await RunAsync(elsewhere, "/usr/bin/env", "PATH=/usr/bin:/bin", "/bin/sh", "-c", pasted);
        Assert.True(code == 0 && text.Contains("ok\n", StringComparison.Ordinal), $"{pasted}\n{text}");
        Assert.StartsWith($"{Program} call tcp://127.0.0.1:2", lines[3]);
        (_, text) = await RunAsync(folder, Program, "new", "python", "second");
        Assert.DoesNotContain(lines[3].Split(' ')[2], text); // another app, another port
    }

    private async Task MakeAndUseAsync(string language, params string[][] commands)
    {
        string name = $"my-{language}";
        (int code, string text) = await RunAsync(_folder, Program, "new", language, name);
        string made = text;
        Assert.True(code == 0, text);
        Assert.Contains($"  cocaine-fast run {name}/manifest.json --locator none", text);
        string folder = Path.Combine(_folder, name);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(Repository.Root, File.ReadAllText(file)); // it is for every machine
        }

        foreach (string[] command in commands)
        {
            (code, text) = await RunAsync(folder, command);
            Assert.True(code == 0, $"{string.Join(' ', command)}: {text}");
        }

        ManifestResult manifest = ManifestReader.ReadFile(Path.Combine(folder, "manifest.json"), checkFiles: true);
        Assert.Empty(manifest.Problems);
        Assert.Equal(name, manifest.Manifest!.Name);
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(manifest.Manifest);
        await app.Ready.WaitAsync(TimeSpan.FromMinutes(2));
        string call = made.Split('\n').Single(line => line.Contains("cocaine-fast call "));
        Assert.Equal((0, "hello, you"), await RunAsync(_folder, "/bin/sh", "-c", call.Trim()));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("hello, you", await ScriptApps.TextAsync(client, "hello", "you"));
        Assert.Equal("LOUD", await ScriptApps.TextAsync(client, "shout", "loud"));
    }

    private async Task<(int Code, string Text)> RunAsync(string folder, params string[] command)
    {
        ProcessStartInfo start = new(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // no server stays behind that keeps our pipes open
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE"] = "1";

        // A build of its own: what the test runner's own build left in the environment, and lock files and servers that builds of other
        // checkouts share under /tmp, are not its business.
        foreach (string inherited in start.Environment.Keys.Where(key => key.StartsWith("MSBuild", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(inherited);
        }

        start.Environment["PATH"] = $"{Path.GetDirectoryName(Program)}:{Environment.GetEnvironmentVariable("PATH")}"; // as its user has it
        start.Environment["TMPDIR"] = _temporary;
        using Process process = Process.Start(start)!;
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(4));
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await errors);
    }
}
