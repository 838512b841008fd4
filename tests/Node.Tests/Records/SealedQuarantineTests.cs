using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Quarantine;

namespace Cocaine.Fast.Node.Tests.Records;

/// <summary>Quarantined jobs that are sealed on the disk: the node shows and replays them with its own key, and with no other.</summary>
public sealed class SealedQuarantineTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly SealKeys _keys = new("ops");

    public SealedQuarantineTests() => File.Copy(_keys.NodeKey, _keys.PublicOf("node"));

    public void Dispose()
    {
        _folder.Dispose();
        _keys.Dispose();
    }

    [Fact]
    public async Task The_file_has_no_byte_of_the_request_and_the_node_shows_and_replays_it()
    {
        string mended = _folder["mended-secret"];
        QuarantineEntry job = await KillAsync(mended, "ops", "node");
        string file = Assert.Single(Directory.GetFiles(_folder["state"], "*.job", SearchOption.AllDirectories));
        byte[] bytes = File.ReadAllBytes(file);
        string head = Encoding.UTF8.GetString(bytes, 0, Array.IndexOf(bytes, (byte)'\n', bytes.AsSpan().IndexOf("\n}\n"u8) + 1));
        using (JsonDocument read = JsonDocument.Parse(head))
        {
            Assert.Equal("die_unless", read.RootElement.GetProperty("event").GetString());
            Assert.Equal(["node", "ops"], read.RootElement.GetProperty("sealed-to").EnumerateArray().Select(name => name.GetString()).Order());
            Assert.Equal("", read.RootElement.GetProperty("headers").GetString());
        }

        Assert.Equal(-1, bytes.AsSpan(head.Length).IndexOf("mended-secret"u8));
        Assert.Equal(-1, bytes.AsSpan(head.Length).IndexOf(Encoding.UTF8.GetBytes(Convert.ToBase64String(Utf8.Of(mended))[..16])));

        await using TestNode node = Start("ops", "node");
        Assert.Equal(mended.Length, Assert.Single(node.Node.Quarantine.List(null)).RequestBytes);
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        using (JsonDocument shown = JsonDocument.Parse(node.Node.Quarantine.Show("behaviours", job.Id)!))
        {
            Assert.Equal(mended, shown.RootElement.GetProperty("request").GetString());
        }

        File.WriteAllText(mended, "");
        Assert.True(await node.Node.Quarantine.ReplayAsync("behaviours", job.Id, default));
        Assert.Empty(node.Node.Quarantine.List(null));
    }

    [Fact]
    public async Task A_node_whose_key_is_not_among_them_lists_the_job_and_opens_nothing()
    {
        QuarantineEntry job = await KillAsync(_folder["mended"], "ops");
        await using TestNode node = Start("ops");
        Assert.Equal("die_unless", Assert.Single(node.Node.Quarantine.List(null)).Event);
        NodeException refused = Assert.Throws<NodeException>(() => node.Node.Quarantine.Show("behaviours", job.Id));
        Assert.Equal(
            $"the quarantined job {job.Id} of behaviours is sealed to ops, and this node cannot open it: it is sealed to other keys than "
            + "those of this node", refused.Message);
        Assert.True(node.Node.Quarantine.Drop("behaviours", job.Id));
    }

    [Fact]
    public async Task Every_changed_byte_of_a_sealed_job_is_noticed()
    {
        QuarantineEntry job = await KillAsync(_folder["mended"], "node");
        string file = Assert.Single(Directory.GetFiles(_folder["state"], "*.job", SearchOption.AllDirectories));
        byte[] whole = File.ReadAllBytes(file);
        int start = whole.AsSpan().IndexOf("\n}\n"u8) + 3;
        await using TestNode node = Start("node");
        for (int i = start; i < whole.Length; i += 7)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 1;
            File.WriteAllBytes(file, changed);
            Assert.Throws<NodeException>(() => node.Node.Quarantine.Show("behaviours", job.Id));
        }

        File.WriteAllBytes(file, whole);
        Assert.NotNull(node.Node.Quarantine.Show("behaviours", job.Id));
    }

    [Fact]
    public void A_name_without_a_key_ends_the_start()
    {
        NodeException refused = Assert.Throws<NodeException>(() => Start("ops", "nobody"));
        Assert.EndsWith($"security.quarantine-to: {_keys.Folder} has no nobody.pub", refused.Message);
    }

    private TestNode Start(params string[] names) =>
        TestNode.Start(stateDirectory: _folder["state"], security: new SecurityConfig { QuarantineTo = names }, keysDirectory: _keys.Folder);

    /// <summary>A job kills its slaves; the node ends, so that the file is written.</summary>
    private async Task<QuarantineEntry> KillAsync(string request, params string[] names)
    {
        await using (TestNode node = Start(names))
        {
            RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die_unless", Utf8.Of(request)));
        }

        await using TestNode next = Start(names);
        return Assert.Single(next.Node.Quarantine.List(null));
    }
}
