using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class IsolationManifestTests
{
    [Fact]
    public void All_keys_are_read()
    {
        IsolationSettings read = Read("""
            { "user": "nobody", "group": "100", "memory": "1GiB", "files": 256, "cpu-time": "1m", "nice": -5, "cpu-affinity": "0-2, 5,1",
              "working-folder": "/tmp", "no-new-privileges": false, "cgroup": "/sys/fs/cgroup/cocaine", "cgroup-memory": "2GiB",
              "cgroup-cpu": 150, "cgroup-processes": 64 }
            """).Manifest!.Isolation!;
        Assert.Equal([0, 1, 2, 5], read.Cpus);
        Assert.Equal(
            new IsolationSettings
            {
                User = "nobody",
                Group = "100",
                MemoryBytes = 1 << 30,
                OpenFiles = 256,
                CpuTimeS = 60,
                Nice = -5,
                Cpus = read.Cpus,
                WorkingFolder = "/tmp",
                NoNewPrivileges = false,
                Cgroup = "/sys/fs/cgroup/cocaine",
                CgroupMemoryBytes = 2L << 30,
                CgroupCpuPercent = 150,
                CgroupProcesses = 64,
            },
            read);
        Assert.True(Read("{}").Manifest!.Isolation!.NoNewPrivileges);
    }

    [Theory]
    [InlineData("""{ "user": "-u 0" }""", "user: expected the name of a user, or its number as a string, found the string \"-u 0\"")]
    [InlineData("""{ "group": "99999999999" }""", "group: expected the name of a group, or its number as a string, found the string \"99999999999\"")]
    [InlineData("""{ "user": 0 }""", "user: expected a string, found the number 0")]
    [InlineData("""{ "memory": "1MiB" }""", "memory: expected 16MiB or more, or 0: no worker starts in less, found the string \"1MiB\"")]
    [InlineData("""{ "files": 3 }""", "files: expected 16 or more, or 0: no worker starts with fewer, found the number 3")]
    [InlineData("""{ "nice": 20 }""", "nice: expected a whole number from -20 to 19, found the number 20")]
    [InlineData("""{ "cpu-affinity": "3-1" }""", "cpu-affinity: expected CPUs and ranges of them, as \"0-3,6\", found the string \"3-1\"")]
    [InlineData("""{ "cpu-affinity": "0,,1" }""", "cpu-affinity: expected CPUs and ranges of them, as \"0-3,6\", found the string \"0,,1\"")]
    [InlineData("""{ "working-folder": "tmp" }""", "working-folder: expected an absolute path, found the string \"tmp\"")]
    [InlineData("""{ "cgroup-memory": 5 }""", "cgroup-memory: is a limit of a cgroup: give the folder with 'cgroup'")]
    [InlineData("""{ "usr": "a" }""", "usr: unknown key 'usr'; did you mean 'user'?")]
    public void What_is_wrong_is_said(string isolation, string problem) =>
        Assert.Contains(Read(isolation).Problems, one => $"{one.Path[12..]}: {one.Message}".StartsWith(problem, StringComparison.Ordinal));

    [Fact]
    public void Threads_cannot_be_confined() => Assert.Equal(
        "app.json:1:134: $.isolation: only for backend process: threads are the node's own, and cannot be confined",
        Read("{}", "\"backend\": \"thread\"", "dotnet").Problems.Single().ToString());

    private static ManifestResult Read(string isolation, string engine = "", string type = "python") => ManifestReader.Read(
        Encoding.UTF8.GetBytes(
            $$$"""{"type":"{{{type}}}","args":"a","tasks":{"t":{"type":"native-sink","endpoint":"tcp://lo:0"}},"engine":{{{{engine}}}},"isolation": """
            + isolation + "}"), "app.json");
}
