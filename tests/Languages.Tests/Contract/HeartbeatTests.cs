using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Languages.Tests.Cpp;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Contract;

/// <summary>Every kind of slave beats as often as its heartbeat-timeout wants, so that one with nothing to do is not taken for a stuck one.</summary>
[Collection(nameof(Alone))]
public class HeartbeatTests
{
    private static readonly EngineSettings Impatient = new() { HeartbeatTimeoutMs = 3000, PoolMinimum = 1 };

    [Fact]
    public async Task An_idle_worker_outlives_a_heartbeat_timeout_below_the_usual_period_and_one_with_a_stuck_handler_does_not()
    {
        await using TestNode node = TestNode.Start();
        List<RunningApp> apps = [];
        foreach (AppManifest manifest in Manifests())
        {
            apps.Add(await node.AddAsync(manifest));
        }

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (apps.Exists(app => app.Engine.Counters.HeartbeatsSeen < 6)) // at once, then every 750 ms
        {
            await Task.Delay(20, limit.Token);
        }

        Assert.Equal([], apps.Where(app => app.Engine.Counters.SlavesDied > 0).Select(app => app.Name));
        // Not in C++ and JavaScript, where the contract's app sleeps beside its loop.
        await Task.WhenAll(apps.Where(app => app.Manifest.Type is not (AppType.Cpp or AppType.JavaScript)).Select(async app =>
        {
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("sleeps", Utf8.Of("7000")));
            Assert.Equal((app.Name, 504), (app.Name, failure.Code));
            Assert.EndsWith("was silent for its heartbeat-timeout of 3000 ms", failure.Message);
            Assert.Equal("next", System.Text.Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("next"))));
        }));
    }

    private static IEnumerable<AppManifest> Manifests()
    {
        foreach (string pipe in (string[])["1", "0"])
        {
            yield return App(AppType.Python, "python/contract.py", pipe: pipe);
            yield return App(AppType.DotNet, "dotnet/bin/Release/net10.0/Contract.dll", pipe: pipe);
        }

        yield return App(AppType.DotNet, "dotnet/bin/Release/net10.0/Contract.dll", BackendType.Thread);
        if (CppBuild.Find("perl") is not null)
        {
            yield return App(AppType.Perl, "perl/contract.pl");
        }

        if (CppBuild.Find("node") is not null)
        {
            yield return App(AppType.JavaScript, "javascript/contract.mjs");
        }

        if (CppBuild.Missing is null)
        {
            yield return App(AppType.Cpp, CppBuild.ContractProgram);
            yield return App(AppType.Cpp, CppBuild.ContractObject, BackendType.Thread);
        }
    }

    private static AppManifest App(AppType type, string file, BackendType backend = BackendType.Process, string pipe = "1") =>
        TestApps.Python("behaviours.py", Impatient with { Backend = backend }) with
        {
            Name = $"{type}-{backend}-{pipe}".ToLowerInvariant(),
            Type = type,
            Code = new CodeSource
            {
                Source = Path.Combine(Repository.Root, "tests/contract", file),
                Env = new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe },
            },
        };
}
