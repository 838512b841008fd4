using Cocaine.Fast.Transport.Trust;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.Tests.Trust;

/// <summary>Locks of files and folders: one has it, and it goes with whoever has it.</summary>
public sealed class LockTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_that_one_has_locked_is_seen_as_taken_and_not_given_to_another()
    {
        string path = _folder.Write("file", "");
        using SafeFileHandle looker = Open(path);
        Assert.False(FileLock.IsTaken(looker));
        using (SafeFileHandle first = Open(path))
        {
            Assert.True(FileLock.TryTake(first));
            Assert.True(FileLock.TryTake(first)); // who has it may take it again
            Assert.False(FileLock.IsTaken(first)); // by another
            Assert.True(FileLock.IsTaken(looker));
            using SafeFileHandle second = Open(path);
            Assert.False(FileLock.TryTake(second));
        }

        Assert.False(FileLock.IsTaken(looker));
        Assert.True(FileLock.TryTake(looker));
    }

    [Fact]
    public void A_lock_outlives_another_handle_of_its_file_that_is_closed()
    {
        string path = _folder.Write("file", "");
        using SafeFileHandle holder = Open(path);
        Assert.True(FileLock.TryTake(holder));
        Open(path).Dispose(); // of fcntl's older locks this would be the end
        using SafeFileHandle looker = Open(path);
        Assert.True(FileLock.IsTaken(looker));
    }

    [Fact]
    public void A_folder_is_locked_once_until_it_is_given_back()
    {
        FolderLock? first = FolderLock.TryTake(_folder.Path);
        Assert.NotNull(first);
        Assert.Null(FolderLock.TryTake(_folder.Path));
        first.Dispose();
        first.Dispose();
        using FolderLock? second = FolderLock.TryTake(_folder.Path);
        Assert.NotNull(second);
        first.Dispose(); // takes nothing from who has it now
        Assert.Null(FolderLock.TryTake(_folder.Path));
    }

    [Fact]
    public void What_is_in_a_locked_folder_may_go()
    {
        string file = _folder.Write("file", "");
        using FolderLock? held = FolderLock.TryTake(_folder.Path);
        File.Delete(file);
        Assert.Null(FolderLock.TryTake(_folder.Path));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error_and_not_a_lock_of_another() =>
        Assert.Contains(_folder["nothing"], Assert.Throws<IOException>(() => FolderLock.TryTake(_folder["nothing"])).Message);

    private static SafeFileHandle Open(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
}
