using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Tests.Contract;

/// <summary>Every kind of slave beats as often as its heartbeat-timeout wants, so that one with nothing to do is not taken for a stuck one.</summary>
public class HeartbeatTests
{
    private static readonly EngineSettings Impatient = new() { HeartbeatTimeoutMs = 3000, PoolMinimum = 1 };

    [Fact]
    public async Task Idle_workers_of_every_language_outlive_a_heartbeat_timeout_below_the_usual_period()
    {
        await using TestNode node = TestNode.Start();
        List<RunningApp> apps = [];
        foreach (AppManifest manifest in Manifests())
        {
            apps.Add(await node.AddAsync(manifest));
        }

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        while (apps.Exists(app => app.Engine.Counters.HeartbeatsSeen < 6)) // at once, then every 750 ms
        {
            await Task.Delay(20, limit.Token);
        }

        Assert.All(apps, app => Assert.Equal((app.Name, 0UL), (app.Name, app.Engine.Counters.SlavesDied)));
    }

    private static IEnumerable<AppManifest> Manifests()
    {
        foreach (string pipe in (string[])["1", "0"])
        {
            Dictionary<string, string> env = new() { ["COCAINE_PIPE"] = pipe };
            yield return Apps.Python("behaviours.py", Impatient, env) with { Name = $"python-{pipe}" };
            yield return Apps.DotNet(BackendType.Process, Impatient, env) with { Name = $"dotnet-{pipe}" };
        }

        yield return Apps.DotNet(BackendType.Thread, Impatient) with { Name = "dotnet-thread" };
        if (CppBuild.Find("perl") is not null)
        {
            yield return Script(AppType.Perl, "perl/contract.pl");
        }

        if (CppBuild.Find("node") is not null)
        {
            yield return Script(AppType.JavaScript, "javascript/contract.mjs");
        }

        if (CppBuild.Missing is null)
        {
            yield return Script(AppType.Cpp, CppBuild.ContractProgram);
            yield return Script(AppType.Cpp, CppBuild.ContractObject, BackendType.Thread);
        }
    }

    private static AppManifest Script(AppType type, string file, BackendType backend = BackendType.Process) =>
        Apps.Python("behaviours.py", Impatient with { Backend = backend }) with
        {
            Name = $"{type}-{backend}".ToLowerInvariant(),
            Type = type,
            Code = new CodeSource { Source = Path.Combine(Apps.Root, "tests/contract", file) },
        };
}
