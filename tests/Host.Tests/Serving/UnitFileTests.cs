using System.Diagnostics;

namespace Cocaine.Fast.Host.Tests.Serving;

public class UnitFileTests
{
    private static readonly string File = Path.Combine(Repository.Root, "packaging/systemd/cocaine-fast.service");

    [Theory]
    [InlineData("Type", "notify")]
    [InlineData("ExecStart", "/usr/bin/cocaine-fast serve --config /etc/cocaine-fast/node.json")]
    [InlineData("ExecReload", "/bin/kill -HUP $MAINPID")]
    [InlineData("WatchdogSec", "30")]
    [InlineData("Restart", "on-failure")]
    [InlineData("KillMode", "mixed")]
    [InlineData("RuntimeDirectory", "cocaine-fast")]
    [InlineData("StateDirectory", "cocaine-fast")]
    [InlineData("LimitCORE", "0")]
    [InlineData("NoNewPrivileges", "yes")]
    [InlineData("ProtectSystem", "full")]
    [InlineData("RestrictNamespaces", "yes")]
    [InlineData("SystemCallFilter", "@system-service")]
    public void It_says(string key, string value) => Assert.Equal([value], Values(key));

    [Fact]
    public void It_waits_for_jobs_longer_than_the_node_does() =>
        Assert.True(int.Parse(Assert.Single(Values("TimeoutStopSec"))) * 1000 > new Core.Configuration.NodeConfig().DrainTimeoutMs);

    [NeedsFact("systemd-analyze", "systemd")]
    public void Systemd_understands_all_of_it()
    {
        using TestFolder folder = new();
        string copy = folder.Write("test.service", System.IO.File.ReadAllText(File).Replace("/usr/bin/cocaine-fast", "/bin/true"));
        using Process process = Process.Start(new ProcessStartInfo("systemd-analyze", ["verify", copy]) { RedirectStandardError = true })!;
        string report = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.DoesNotContain("test.service", report); // each complaint names the file
        Assert.Equal(0, process.ExitCode);
    }

    private static string[] Values(string key) => [.. System.IO.File.ReadAllLines(File)
        .Where(line => line.StartsWith(key + "=", StringComparison.Ordinal)).Select(line => line[(key.Length + 1)..])];
}
