using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Tests.Linux;

/// <summary>What statx says of real files, and the names in a folder.</summary>
public sealed class FileStatusTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_folders_links_pipes_and_sockets_are_told_apart()
    {
        string file = _folder.Write("file", "12345"), folder = Directory.CreateDirectory(_folder["folder"]).FullName;
        File.CreateSymbolicLink(_folder["link"], file);
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder["socket"]));
        Assert.Equal((FileKind.File, 5L, true, false), Facts(file));
        Assert.Equal((FileKind.Folder, false), (Of(folder).Kind, Of(folder).IsPlain));
        Assert.Equal(FileKind.Link, Of(_folder["link"], follow: false).Kind);
        Assert.Equal(Of(file), Of(_folder["link"]));
        Assert.Equal((FileKind.File, false, true), (Of(_folder["socket"]).Kind, Of(_folder["socket"]).IsPlain, Of(_folder["socket"]).IsSocket));
        Assert.False(Of("/dev/null").IsPlain);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("file/below")]
    [InlineData("loop")]
    public void A_path_that_leads_nowhere_has_no_status(string name)
    {
        _folder.Write("file", "");
        File.CreateSymbolicLink(_folder["loop"], _folder["loop"]);
        Assert.False(FileStatus.TryRead(_folder[name], out _));
    }

    [Fact]
    public void A_file_is_known_under_another_name_and_another_file_under_its_name_is_not_it()
    {
        string file = _folder.Write("file", "old");
        FileStatus before = Of(file);
        File.Move(file, _folder["moved"]);
        Assert.Equal(before.Identity, Of(_folder["moved"]).Identity);
        _folder.Write("file", "new");
        Assert.NotEqual(before.Identity, Of(file).Identity);
    }

    [Fact]
    public void The_status_of_an_open_file_outlives_its_name()
    {
        string file = _folder.Write("file", "12");
        ulong identity = Of(file).Identity;
        using FileStream open = File.OpenRead(file);
        File.Delete(file);
        Assert.True(FileStatus.TryRead((int)open.SafeFileHandle.DangerousGetHandle(), out FileStatus status));
        Assert.Equal((identity, 2L), (status.Identity, status.SizeBytes));
    }

    [Fact]
    public void Owner_mode_and_time_are_those_of_the_file()
    {
        string file = _folder.Write("file", "");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupWrite | UnixFileMode.SetUser);
        DateTime time = new(2031, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, time);
        FileStatus status = Of(file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupWrite | UnixFileMode.SetUser, status.Mode);
        Assert.Equal(PeerCredentials.OwnUser, status.OwnerId);
        Assert.Equal((time - DateTime.UnixEpoch).TotalNanoseconds, status.ModifiedNs);
    }

    [Fact]
    public void Names_are_read_as_bytes_also_those_that_are_no_text()
    {
        string folder = Directory.CreateDirectory(_folder["odd"]).FullName;
        byte[] odd = [.. Encoding.UTF8.GetBytes(folder), (byte)'/', 0xff, 0xfe, 0];
        unsafe
        {
            fixed (byte* path = odd)
            {
                _ = LibC.close(LibC.open(path, 0x41 /* O_WRONLY | O_CREAT */));
            }
        }

        using FolderReader reader = new();
        Assert.True(reader.TryOpen(Encoding.UTF8.GetBytes(folder + '\0')));
        Assert.True(reader.TryNext(out ReadOnlySpan<byte> name));
        byte[] found = name.ToArray();
        Assert.False(reader.TryNext(out _));
        Unprivileged.Run("/bin/rm", "-r", folder); // .NET finds no file by such a name
        Assert.Equal([0xff, 0xfe], found);
    }

    [Fact]
    public void A_folder_of_more_names_than_one_read_brings_is_read_whole_and_once()
    {
        const int Count = 2000; // some 40 bytes and more each: several times the buffer
        for (int i = 0; i < Count; i++)
        {
            _folder.Write($"{i}-of-many", "");
        }

        using FolderReader reader = new();
        for (int round = 0; round < 2; round++) // opened again it begins anew
        {
            Assert.True(reader.TryOpen(Encoding.UTF8.GetBytes(_folder.Path + '\0')));
            List<string> names = [];
            while (reader.TryNext(out ReadOnlySpan<byte> name))
            {
                names.Add(Encoding.UTF8.GetString(name));
            }

            Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i}-of-many").Order(), names.Order());
        }
    }

    [Fact]
    public void What_is_no_folder_is_not_opened()
    {
        using FolderReader reader = new();
        Assert.False(reader.TryOpen(Encoding.UTF8.GetBytes(_folder.Write("file", "") + '\0')));
        Assert.False(reader.TryOpen(Encoding.UTF8.GetBytes(_folder["nothing"] + '\0')));
        Assert.False(reader.IsOpen);
    }

    private static (FileKind, long, bool, bool) Facts(string path)
    {
        FileStatus status = Of(path);
        return (status.Kind, status.SizeBytes, status.IsPlain, status.IsSocket);
    }

    private static FileStatus Of(string path, bool follow = true)
    {
        Assert.True(FileStatus.TryRead(Encoding.UTF8.GetBytes(path + '\0'), follow, out FileStatus status));
        return status;
    }
}
