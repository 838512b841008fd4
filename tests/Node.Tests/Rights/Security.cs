using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Node.Tests.Rights;

/// <summary>Rules for tests, and an app whose doors they guard.</summary>
internal static class Security
{
    /// <summary>The user that this process runs as.</summary>
    public static uint OwnUser => PeerCredentials.OwnUser;

    /// <summary>The rules of a config's section.</summary>
    public static SecurityConfig Of(string section)
    {
        ConfigResult result = ConfigReader.Read(Encoding.UTF8.GetBytes($"{{ \"security\": {section} }}"), "/etc/node.json");
        Assert.Empty(result.Problems);
        return result.Config!.Security;
    }

    /// <summary>A token as the config keeps it.</summary>
    public static string Kept(string token) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token)))}";

    /// <summary>The app dotnet-echo with a task at these endpoints; its events are echo and others.</summary>
    public static AppManifest App(string driver, string[] endpoints, string name = "event", params (string Key, object Value)[] keys) =>
        TestApps.DotNet(BackendType.Thread) with
        {
            Tasks =
            [
                new TaskManifest
                {
                    Name = name, DriverType = driver, Endpoints = endpoints, Keys = keys.ToDictionary(key => key.Key, key => key.Value),
                    Events = driver == "native-server" ? ["echo", "reverse"] : [],
                },
            ],
        };

    /// <summary>An address of this host that is none of loopback; null when there is none.</summary>
    public static IPAddress? NetworkAddress => NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
}

/// <summary>A test with a peer from an address that is none of loopback.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NetworkFactAttribute : FactAttribute
{
    public NetworkFactAttribute()
    {
        if (Security.NetworkAddress is null)
        {
            Skip = "this host has loopback addresses only";
        }
    }
}
