using Cocaine.Fast.Client;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Reload;

namespace Cocaine.Fast.Node.Tests.Reload;

public class ManifestWatchTests
{
    [Fact]
    public async Task The_app_follows_its_file_and_what_is_no_manifest_changes_nothing()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        string path = Path.Combine(node.Folder, "app.json");
        Write(1);
        RunningApp app = await node.Node.AddAsync(ManifestReader.ReadFile(path).Manifest!);
        using CancellationTokenSource stop = new();
        Task watch = new ManifestWatch(node.Node.Node, app.Manifest, node.Node.Node.Log).RunAsync(stop.Token);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Write(2); // a higher version, in place
        await UntilAsync(() => app.Manifest.Version == 2);
        File.WriteAllText(path, "{ \"type\": \"python\", \"tsaks\": {} }");
        await UntilAsync(() => node.Node.Log.Contains("is no manifest now"));
        Assert.Contains("unknown key 'tsaks'", node.Node.Log);
        Assert.Equal("2", await client.TextAsync("version"));
        File.WriteAllBytes(path + ".new", node.Text(1).Utf8.ToArray()); // as editors do it; a lower version is meant too
        File.Move(path + ".new", path, overwrite: true);
        await UntilAsync(() => app.Manifest.Version == 1);
        Assert.Equal("1", await client.TextAsync("version"));
        await stop.CancelAsync();
        await watch.WaitAsync(Versions.Long);

        void Write(int version) => File.WriteAllBytes(path, node.Text(version).Utf8.ToArray());
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource limit = new(Versions.Long);
        while (!condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
