using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>A daemon that is killed at any moment has what it acknowledged when it starts again.</summary>
[Collection(nameof(Alone))]
public sealed class KilledTests : IDisposable
{
    private const int Rounds = 6;

    private static readonly string[] Names = ["a", "b", "c"];

    private readonly TestFolder _folder = new();
    private readonly Random _random = new(1);
    private readonly Dictionary<string, string?> _acknowledged = Names.ToDictionary(name => name, _ => (string?)null); // the text, or null
    private int _count;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Killed_while_apps_come_and_go_it_has_what_it_acknowledged()
    {
        for (int round = 0; round < Rounds; round++)
        {
            using ServeProcess serve = await ServeProcess.StartAsync(_folder);
            Assert.Empty(Directory.GetFiles(_folder["state/apps"], ".*"));
            await CheckAsync(serve);
            int killAfter = _random.Next(3, 40);
            Task<(string, string?)?> working = WorkAsync(serve, killAfter);
            (string Name, string? Text)? unanswered = await working;
            Assert.Equal(137, await serve.ExitAsync()); // 128 + SIGKILL
            if (unanswered is { } last)
            {
                // It was asked for and not acknowledged: either is right, and the file says which it is.
                _acknowledged[last.Name] = TextOnDisk(last.Name) == last.Text ? last.Text : _acknowledged[last.Name];
            }
        }
    }

    /// <summary>Creates and deletes; in the middle of one of it the node is killed. What was under way then.</summary>
    private async Task<(string Name, string? Text)?> WorkAsync(ServeProcess serve, int killAfter)
    {
        await using NodeControlClient client = await serve.ConnectAsync();
        for (int i = 0; ; i++)
        {
            string name = Names[_random.Next(Names.Length)];
            string? text = _acknowledged[name] is null ? Manifest() : null;
            Task asked = text is null ? client.DeleteAsync(name, TimeSpan.FromSeconds(5))
                : client.CreateAsync(new ManifestText(Utf8.Of(text), _folder[$"{name}.json"]));
            if (i == killAfter)
            {
                serve.Signal("KILL");
            }

            try
            {
                await asked.WaitAsync(TimeSpan.FromSeconds(30));
                _acknowledged[name] = text;
            }
            catch (Exception lost) when (i >= killAfter && lost is ConnectionLostException or CocaineException or IOException)
            {
                return (name, text);
            }
        }
    }

    private async Task CheckAsync(ServeProcess serve)
    {
        await using NodeControlClient client = await serve.ConnectAsync();
        IReadOnlyList<AppSummary> apps = await client.ListAsync();
        Assert.DoesNotContain(apps, app => app.State == "failed");
        Assert.Equal(_acknowledged.Where(pair => pair.Value is not null).Select(pair => pair.Key), apps.Select(app => app.App));
        Assert.All(Names, name => Assert.Equal(_acknowledged[name], TextOnDisk(name)));
    }

    private string? TextOnDisk(string name)
    {
        string path = _folder[$"state/apps/{name}.json"];
        return File.Exists(path)
            ? System.Text.Encoding.UTF8.GetString(Node.Daemon.StoredAppFormat.Read(File.ReadAllBytes(path)).Utf8.Span) : null;
    }

    /// <summary>An app that costs little: its program ends at once, which its engine lives with. Long, so that writing takes a while.</summary>
    private string Manifest() => $$"""
        { "type": "binary", "args": "/bin/true", "version": {{++_count}},
          // {{new string('x', _random.Next(100_000))}}
          "tasks": { "x": { "type": "manual-scheduler" } } }
        """;
}
