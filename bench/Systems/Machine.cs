using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>What figures depend on: the machine, and the versions of what is measured.</summary>
internal static class Machine
{
    public static string Describe() =>
        $"{CpuModel()}, {Environment.ProcessorCount} CPUs, {MemoryGiB()} GiB, {RuntimeInformation.OSDescription}, "
        + $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}, {DateTime.UtcNow:yyyy-MM-dd}";

    /// <summary>Versions of everything; what is not installed is left out.</summary>
    public static string Versions()
    {
        List<string> versions =
        [
            RuntimeInformation.FrameworkDescription,
            $"cocaine-fast {First("git", "-C", Catalog.Root, "describe", "--always", "--dirty")}",
            PackageVersion("Grpc.AspNetCore.Server", typeof(Grpc.AspNetCore.Server.GrpcServiceOptions)),
            PackageVersion("NetMQ", typeof(NetMQ.NetMQPoller)),
            PackageVersion("NATS.Client.Core", typeof(NATS.Client.Core.NatsConnection)),
            First("gcc", "--version"),
            First("nats-server", "--version"),
            $"uWSGI {First("uwsgi", "--version")}",
            First("wrk", "--version"),
            First("/usr/bin/python3", "--version"),
        ];
        return string.Join(", ", versions.Where(text => text.Length > 0 && !text.EndsWith(' ')));
    }

    private static string PackageVersion(string name, Type type) =>
        $"{name} {type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0].Trim()}";

    /// <summary>The first line that a program prints, or nothing.</summary>
    private static string First(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            string line = process.StandardOutput.ReadLine() ?? "";
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            int copyright = line.IndexOf(" [", StringComparison.Ordinal);
            return copyright > 0 ? line[..copyright] : line;
        }
        catch (Win32Exception)
        {
            return "";
        }
    }

    private static string CpuModel() => File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static long MemoryGiB() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
}
