using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Node.Places;

/// <summary>The places of the node's files.</summary>
internal static class Folders
{
    private const int MayWrite = 2; // W_OK of access(2)
    private const string SystemRuntime = "/run";
    private const string Named = "nodes"; // the folder of the folders of nodes with names

    /// <summary>
    /// The longest name of a worker's socket in its folder: <c>/PID-SLAVE</c>, the longest process id and eight characters.
    /// </summary>
    private const int SocketNameBytes = 1 + 7 + 1 + 8;

    /// <summary>The folder of the SDKs: beside the program, or in a folder above it when the program runs from its sources.</summary>
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
    /// The folder of the workers' sockets, for this user alone. A socket exists only until its worker has connected; sockets of a killed
    /// node are removed.
    /// </summary>
    /// <param name="configured">The value of the config or an option; null = the default.</param>
    /// <exception cref="IOException">
    /// The folder cannot be made or trusted, or is too deep for a socket; the text gives the remedy.
    /// </exception>
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
            // Checked now, not at each start of a worker: the folder of an earlier node may be on a file system that has become read-only.
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

    /// <summary>
    /// The default state folder of a daemon: systemd's choice for its unit, or the user's own; empty for a user without a home.
    /// </summary>
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

    /// <summary>The state folder of one of several nodes of this user; empty for a user without a home.</summary>
    /// <param name="node">The node's name.</param>
    public static string NamedState(string node) => State() is { Length: > 0 } state ? Path.Combine(state, Named, node) : "";

    /// <summary>The runtime folder of one of several nodes of this user: the commands find its control socket there by its name.</summary>
    /// <param name="node">The node's name.</param>
    public static string NamedRuntime(string node) => Path.Combine(Runtime(), Named, node);

    /// <summary>The control endpoint of this user's daemon.</summary>
    /// <param name="runtime">The runtime folder in the config; null = the default.</param>
    public static string ControlEndpoint(string? runtime = null) => $"ipc://{runtime ?? Runtime()}/control.sock";

    /// <summary>
    /// The default runtime folder, whether it exists or not. The node and the commands must agree on it, so it depends only on the user,
    /// the machine and the environment.
    /// </summary>
    /// <param name="ofUnit">False: ignore systemd's choice, because commands do not know it.</param>
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
            : Path.Combine(Path.GetTempPath(), $"cocaine-fast-{Environment.UserName}"); // also for root, when /run cannot be written
    }

    /// <summary>The remedy for a runtime folder that cannot be used.</summary>
    private static string Remedy =>
        $"choose another with the key 'runtime' of the config, with --runtime-folder, or with {EnvironmentNames.RuntimeFolder}";
}
