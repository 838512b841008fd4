namespace Cocaine.Fast.Node.Daemon;

/// <summary>The folder of what outlives a node, held by one node at a time.</summary>
internal sealed class StateFolder : IDisposable
{
    /// <summary>What flock(2) gives when another process holds the lock: EWOULDBLOCK.</summary>
    private const int HeldByAnother = 11;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    private StateFolder(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    public string Path { get; }

    /// <summary>Makes the folder when it is not there, and holds it until it is disposed of or the process ends, however it ends.</summary>
    /// <exception cref="NodeException">It cannot be used, or another node uses it.</exception>
    public static StateFolder Open(string path)
    {
        if (path.Length == 0)
        {
            throw new NodeException(
                "this user has no home folder that is there: say with the key 'state' of the config where apps are kept");
        }

        string ownerFile = System.IO.Path.Combine(path, "pid");
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            FileStream @lock = new(System.IO.Path.Combine(path, "lock"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None, // flock(2), which the kernel takes back when the process is killed
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            File.WriteAllText(ownerFile, $"{Environment.ProcessId}\n"); // for people, and for the text below
            return new StateFolder(path, @lock);
        }
        catch (IOException failure) when (failure.HResult == HeldByAnother)
        {
            throw new NodeException(
                $"the state folder {path} is used by another node (process {OwnerOf(ownerFile)}): stop that one, or give this one a "
                + "folder of its own (the key 'state' of its config)", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException(
                $"the state folder {path} cannot be used: {failure.Message}; the key 'state' of the config chooses another", failure);
        }
    }

    public void Dispose() => _lock.Dispose();

    private static string OwnerOf(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
