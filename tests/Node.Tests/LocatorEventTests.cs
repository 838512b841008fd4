using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Tests.Frameworks;

namespace Cocaine.Fast.Node.Tests;

/// <summary>Clients as the oldest public frameworks are: they resolve a name, connect to the first address, and call what they like.</summary>
public class LocatorEventTests
{
    [Fact]
    public async Task Any_address_of_an_apps_name_serves_all_of_its_native_servers_and_a_tasks_address_serves_the_task()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread) with
        {
            Tasks =
            [
                Task("lines", "raw-server", "tcp://127.0.0.1:0"), // speaks another protocol: nobody is sent to it
                Task("echo", "native-server", "tcp://127.0.0.1:0"),
                Task("count", "native-server", "tcp://127.0.0.1:0"),
                Task("noted", "native-sink", "tcp://127.0.0.1:0"),
            ],
        });
        string locator = node.Node.LocatorEndpoints[0];
        Dictionary<string, string> endpoints = app.Endpoints.ToDictionary(at => at.Task, at => at.Endpoint);
        IReadOnlyList<string> all = await ResolveAsync(locator, "dotnet-echo");
        Assert.Equal([endpoints["echo"], endpoints["count"]], all);
        foreach (string endpoint in all)
        {
            using OldestClient client = new(endpoint);
            Assert.Equal("hello close", await client.CallAsync("echo", "hello"u8.ToArray()));
            Assert.Equal("1\n2\n close", await client.CallAsync("count", "2"u8.ToArray()));
            Assert.StartsWith(" error 1000 404 ", await client.CallAsync("noted"), StringComparison.Ordinal);
            Assert.StartsWith(" error 1000 404 ", await client.CallAsync("lines"), StringComparison.Ordinal);
        }

        Assert.Equal([endpoints["count"]], await ResolveAsync(locator, "dotnet-echo/count"));
        Assert.Equal([endpoints["noted"]], await ResolveAsync(locator, "dotnet-echo/noted"));
        Assert.Empty(await ResolveAsync(locator, "dotnet-echo/lines"));
        using OldestClient sink = new(endpoints["noted"]);
        Assert.StartsWith(" error 1000 404 ", await sink.CallAsync("echo"), StringComparison.Ordinal);

        // Calls are counted with the task whose event it is: two of each, one at either endpoint.
        Assert.Equal([2L, 2L], app.Drivers.Where(driver => driver.Monitor.Name is "echo" or "count").Select(driver => driver.Monitor.Done));
    }

    [Fact]
    public async Task What_listens_where_fewer_can_reach_it_is_not_opened_to_more()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        string path = Path.Combine(Path.GetTempPath(), $"only-{Guid.NewGuid():N}.sock");
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread) with
        {
            Tasks =
            [
                Task("echo", "native-server", "tcp://127.0.0.1:0"),
                Task("count", "native-server", "tcp://127.0.0.2:0"),
                Task("blob", "native-server", $"ipc://{path}"),
                Task("allocated", "native-server", "tcp://0.0.0.0:0"),
            ],
        });
        string[] endpoints = [.. app.Endpoints.Select(at => at.Endpoint.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal))];
        using OldestClient first = new(endpoints[0]), second = new(endpoints[1]);
        Assert.StartsWith(" error 1000 404 ", await first.CallAsync("count", "1"u8.ToArray()), StringComparison.Ordinal);
        Assert.StartsWith(" error 1000 404 ", await first.CallAsync("blob", "1"u8.ToArray()), StringComparison.Ordinal);
        Assert.StartsWith(" error 1000 404 ", await second.CallAsync("echo"), StringComparison.Ordinal);
        Assert.EndsWith(" close", await first.CallAsync("allocated"), StringComparison.Ordinal);
        Assert.EndsWith(" close", await second.CallAsync("allocated"), StringComparison.Ordinal);

        // Two tasks can be reached at 127.0.0.1, where the locator was asked, and there each serves both.
        IReadOnlyList<string> all = await ResolveAsync(node.Node.LocatorEndpoints[0], "dotnet-echo");
        Assert.Equal([endpoints[0], endpoints[3], endpoints[1]], all);
        using OldestClient third = new(all[1]);
        Assert.Equal("x close", await third.CallAsync("echo", "x"u8.ToArray()));
    }

    private static TaskManifest Task(string name, string type, string endpoint) =>
        new() { Name = name, DriverType = type, Endpoints = [endpoint] };

    /// <summary>The addresses, in their order.</summary>
    private static async Task<IReadOnlyList<string>> ResolveAsync(string locator, string name)
    {
        using OldestClient client = new(locator);
        return await client.ResolveAsync(name);
    }
}
