using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node;

/// <summary>Where the node's files are.</summary>
internal static class Folders
{
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
    public static string Sockets()
    {
        string folder = SocketFolder();
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
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

    /// <summary>What a daemon keeps: systemd's choice for its unit, or the user's own folder; empty for a user without a home.</summary>
    public static string State()
    {
        if (Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } given)
        {
            return given.Split(':')[0];
        }

        if (Environment.IsPrivilegedProcess)
        {
            return "/var/lib/cocaine-fast";
        }

        string? home = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (home is not { Length: > 0 })
        {
            string user = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile); // empty when there is no such folder
            home = user.Length > 0 ? Path.Combine(user, ".local/state") : "";
        }

        return home.Length > 0 ? Path.Combine(home, "cocaine-fast") : "";
    }

    /// <summary>Where a daemon of this user is controlled.</summary>
    public static string ControlEndpoint()
    {
        if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } given)
        {
            return $"ipc://{given.Split(':')[0]}/control.sock"; // systemd's choice for its unit
        }

        if (Environment.IsPrivilegedProcess)
        {
            return NodeControlClient.DefaultEndpoint;
        }

        string? runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return runtime is not null && Directory.Exists(runtime)
            ? $"ipc://{runtime}/cocaine-fast/control.sock"
            : $"ipc://{Path.Combine(Path.GetTempPath(), $"cocaine-fast-{Environment.UserName}")}/control.sock";
    }

    /// <summary>Where <see cref="Sockets"/> is, there or not.</summary>
    public static string SocketFolder()
    {
        string? runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        string parent = Environment.IsPrivilegedProcess ? "/run" : runtime is not null && Directory.Exists(runtime) ? runtime
            : Path.GetTempPath();
        return Path.Combine(parent, Environment.IsPrivilegedProcess || runtime is not null ? "cocaine-fast"
            : $"cocaine-fast-{Environment.UserName}");
    }
}
