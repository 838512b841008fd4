using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>The folder for data that outlives a node; one node at a time holds it.</summary>
internal sealed class StateFolder : IDisposable
{
    /// <summary>The errno of flock(2) when another process holds the lock: EWOULDBLOCK.</summary>
    private const int HeldByAnother = 11;

    private readonly FileStream _lock;
    private readonly FolderLock _folderLock; // holds also when the file of the other lock was removed

    private StateFolder(string path, FileStream @lock, FolderLock folderLock)
    {
        Path = path;
        _lock = @lock;
        _folderLock = folderLock;
    }

    public string Path { get; }

    /// <summary>Makes the folder if it does not exist, and holds it until it is disposed of or the process ends, in whatever way.</summary>
    /// <exception cref="NodeException">The folder cannot be used, or another node uses it.</exception>
    public static StateFolder Open(string path)
    {
        if (path.Length == 0)
        {
            throw new NodeException(
                "this user has no home folder that is there: set the folder of apps with the key 'state' of the config");
        }

        string ownerFile = System.IO.Path.Combine(path, "pid");
        FileStream? @lock = null;
        FolderLock? folderLock = null;
        try
        {
            PrivateFolder.Make(path);
            folderLock = FolderLock.TryTake(path) ?? throw new IOException("its lock is held", HeldByAnother);
            @lock = new FileStream(System.IO.Path.Combine(path, "lock"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None, // flock(2), which the kernel takes back when the process is killed
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            File.WriteAllText(ownerFile, $"{Environment.ProcessId}\n"); // for people, and for the text below
            return new StateFolder(path, @lock, folderLock);
        }
        catch (IOException failure) when (failure.HResult == HeldByAnother)
        {
            folderLock?.Dispose();
            throw new NodeException(
                $"the state folder {path} is used by another node (process {OwnerOf(ownerFile)}): stop that one, or give this one a "
                + "folder of its own (the key 'state' of its config)", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            @lock?.Dispose();
            folderLock?.Dispose();
            throw new NodeException(
                $"the state folder {path} cannot be used: {failure.Message}; the key 'state' of the config chooses another", failure);
        }
    }

    public void Dispose()
    {
        _lock.Dispose();
        _folderLock.Dispose();
    }

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
