using System.Net.Sockets;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Host.Serving;

/// <summary>
/// The control sockets of <c>cocaine-fast run</c>: one for each process, <c>run-PID.sock</c> beside the place of a daemon's, so that any
/// number of them run side by side, and commands find them.
/// </summary>
internal static class RunSockets
{
    private const string Prefix = "run-", Suffix = ".sock";

    /// <summary>The default control endpoint of this process.</summary>
    public static string OfThisProcess => $"ipc://{Path.Combine(Folder, $"{Prefix}{Environment.ProcessId}{Suffix}")}";

    private static string Folder => Path.GetDirectoryName(Folders.ControlEndpoint()["ipc://".Length..])!;

    /// <summary>Sockets with a listener.</summary>
    public static IReadOnlyList<string> Live() =>
        [.. Files().Where(IsListening).Order(StringComparer.Ordinal).Select(file => $"ipc://{file}")];

    /// <summary>Removes sockets of killed processes.</summary>
    public static void RemoveStale()
    {
        foreach (string file in Files())
        {
            // Both conditions: a starting process has bound its socket and does not listen yet, and a process in another container cannot
            // be seen.
            if (!Directory.Exists($"/proc/{Path.GetFileName(file)[Prefix.Length..^Suffix.Length]}") && !IsListening(file))
            {
                File.Delete(file);
            }
        }
    }

    private static string[] Files()
    {
        try
        {
            return Directory.GetFiles(Folder, $"{Prefix}*{Suffix}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return []; // no node of this user has been here
        }
    }

    private static bool IsListening(string file)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(file));
            return true;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.WouldBlock; // the listener has clients that it has not accepted yet
        }
        catch (ArgumentException)
        {
            return false; // a path too long for a socket
        }
    }
}
