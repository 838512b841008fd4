using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>A build is put in the place of the one that a node runs from: the last step of scripts/build.</summary>
public sealed class SwitchedBuildTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private string Link => _folder["cocaine-fast"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_goes_on_with_its_own_files_and_the_next_start_takes_the_new_ones()
    {
        string first = Build("cocaine-fast-one"), second = Build("cocaine-fast-two");
        Switch(first);
        Assert.False(Directory.Exists(second)); // nothing ran from it
        Build("cocaine-fast-two");
        TestFolder ofOld = new(), ofNew = new();
        using (ServeProcess old = await ServeProcess.StartProgramAsync(ofOld, Path.Combine(Link, "cocaine-fast")))
        {
            await using NodeControlClient control = await old.ConnectAsync();
            string echo = await CreateAsync(control, ofOld, "echo");
            Switch(second);
            Assert.Equal("x", await AnswerAsync(echo));
            await control.RestartAsync("echo"); // by a worker of the old build
            Assert.Equal("x", await AnswerAsync(echo));
            Assert.Equal("y", await AnswerAsync(await CreateAsync(control, ofOld, "another"), "y")); // and what was not loaded yet
            Assert.Equal(first, FolderOf(old));

            using ServeProcess next = await ServeProcess.StartProgramAsync(ofNew, Path.Combine(Link, "cocaine-fast"));
            Assert.Equal(second, FolderOf(next));
            await using NodeControlClient ofNext = await next.ConnectAsync();
            Assert.Equal("x", await AnswerAsync(await CreateAsync(ofNext, ofNew, "echo")));

            string third = Build("cocaine-fast-three");
            old.Signal("TERM");
            Assert.Equal(0, await old.ExitAsync());
            Switch(third);
            Assert.Equal([third, second], Builds()); // the first has nobody any more
            Assert.Single(await ofNext.ListAsync());
        }

        ofOld.Dispose();
        ofNew.Dispose();
    }

    private string[] Builds() => [.. Directory.GetDirectories(_folder.Path, "cocaine-fast-*").Order(StringComparer.Ordinal)];

    private void Switch(string build)
    {
        using Process run = Process.Start(Path.Combine(Repository.Root, "scripts/switch-build"), [Link, build]);
        run.WaitForExit();
        Assert.Equal((0, build), (run.ExitCode, Directory.ResolveLinkTarget(Link, returnFinalTarget: true)!.FullName));
    }

    /// <summary>The program and the SDK of Python in a folder of their own, as scripts/build leaves them.</summary>
    private string Build(string name)
    {
        Copy(Path.GetDirectoryName(ServeProcess.Program)!, _folder[name]);
        Copy(Path.Combine(Repository.Root, "workers/python"), Path.Combine(_folder[name], "workers/python"));
        return _folder[name];
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private static string FolderOf(ServeProcess node) =>
        Path.GetDirectoryName(File.ResolveLinkTarget($"/proc/{node.Process.Id}/exe", returnFinalTarget: true)!.FullName)!;

    private static async Task<string> CreateAsync(NodeControlClient control, TestFolder folder, string name)
    {
        string file = folder.Manifest(name);
        return (await control.CreateReadyAsync(new ManifestText(File.ReadAllBytes(file), file))).Endpoints[0];
    }

    private static async Task<string> AnswerAsync(string endpoint, string request = "x")
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        return Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of(request)).WaitAsync(TimeSpan.FromSeconds(60)));
    }
}
