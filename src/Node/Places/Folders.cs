using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Node.Places;

/// <summary>Where the node's files are.</summary>
internal static class Folders
{
    private const int MayWrite = 2; // W_OK of access(2)
    private const string SystemRuntime = "/run";

    /// <summary>The name of a worker's socket in its folder: <c>/PID-SLAVE</c>, the longest process id and eight characters.</summary>
    private const int SocketNameBytes = 1 + 7 + 1 + 8;

    /// <summary>The SDKs: beside the program, or in a folder above it when it runs from its sources.</summary>
    public static string Sdk(string? configured)
    {
        if (configured is not null)
        {
            return configured;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string sdk = Path.Combine(folder.FullName, "workers");
            if (File.Exists(Path.Combine(sdk, "python", "cocaine-worker.py")))
            {
                return sdk;
            }
        }

        return Path.Combine(AppContext.BaseDirectory, "workers");
    }

    /// <summary>
    /// The folder of the workers' sockets, for this user alone. A socket is there only until its worker has connected; what a killed
    /// node left is removed.
    /// </summary>
    /// <param name="configured">The value of the config or an option; null = the default.</param>
    /// <exception cref="IOException">It cannot be made or trusted, or is too deep for a socket; the text says what to do.</exception>
    public static string Sockets(string? configured)
    {
        string folder = configured ?? Runtime();
        int over = Encoding.UTF8.GetByteCount(folder) + SocketNameBytes - UnixName.MaxPathBytes;
        if (over > 0)
        {
            throw new IOException(
                $"the runtime folder {folder} is {over} bytes too long: the path of a Unix socket has at most {UnixName.MaxPathBytes}; "
                + Remedy);
        }

        try
        {
            PrivateFolder.Make(folder);
        }
        catch (IOException failure)
        {
            throw new IOException($"the runtime folder: {failure.Message}; {Remedy}", failure);
        }

        if (LibC.access(folder, MayWrite) != 0)
        {
            // Seen now, not at each start of a worker: a folder of an earlier node may lie on what is read-only since.
            string why = Errno.Describe(Marshal.GetLastPInvokeError());
            throw new IOException($"the runtime folder: {folder} cannot be written: {why}; {Remedy}");
        }

        foreach (string file in Directory.EnumerateFiles(folder))
        {
            string owner = Path.GetFileName(file).Split('-')[0];
            if (int.TryParse(owner, out _) && !Directory.Exists($"/proc/{owner}"))
            {
                File.Delete(file);
            }
        }

        return folder;
    }

    /// <summary>A daemon's state folder: systemd's choice for its unit, or the user's own; empty for a user without a home.</summary>
    public static string State()
    {
        if (EnvironmentNames.Get(EnvironmentNames.StateDirectory) is { } given)
        {
            return given.Split(':')[0];
        }

        if (Environment.IsPrivilegedProcess)
        {
            return "/var/lib/cocaine-fast";
        }

        string? home = EnvironmentNames.Get(EnvironmentNames.UserState);
        if (home is null)
        {
            string user = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile); // empty when there is no such folder
            home = user.Length > 0 ? Path.Combine(user, ".local/state") : "";
        }

        return home.Length > 0 ? Path.Combine(home, "cocaine-fast") : "";
    }

    /// <summary>Where a daemon of this user is controlled.</summary>
    /// <param name="runtime">The runtime folder that the config names; null = the default.</param>
    public static string ControlEndpoint(string? runtime = null) => $"ipc://{runtime ?? Runtime()}/control.sock";

    /// <summary>
    /// The runtime folder that is used when none is configured, there or not. The node and the commands must agree, so it depends on the
    /// user, the machine and the environment only.
    /// </summary>
    /// <param name="ofUnit">False: systemd's choice does not count, because commands are not told of it.</param>
    public static string Runtime(bool ofUnit = true)
    {
        if (EnvironmentNames.Get(EnvironmentNames.RuntimeFolder) is { } chosen)
        {
            return Path.GetFullPath(chosen);
        }

        if (ofUnit && EnvironmentNames.Get(EnvironmentNames.RuntimeDirectory) is { } given)
        {
            return given.Split(':')[0]; // systemd's choice for its unit
        }

        string? parent = Environment.IsPrivilegedProcess ? SystemRuntime : EnvironmentNames.Get(EnvironmentNames.UserRuntime);
        return parent is not null && LibC.access(parent, MayWrite) == 0
            ? Path.Combine(parent, "cocaine-fast")
            : Path.Combine(Path.GetTempPath(), $"cocaine-fast-{Environment.UserName}"); // also of root, where /run cannot be written
    }

    /// <summary>The remedy for a runtime folder that is of no use.</summary>
    private static string Remedy =>
        $"choose another with the key 'runtime' of the config, with --runtime-folder, or with {EnvironmentNames.RuntimeFolder}";
}
