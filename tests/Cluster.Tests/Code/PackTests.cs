using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Cocaine.Fast.Cluster.Code;
using CsCheck;

namespace Cocaine.Fast.Cluster.Tests.Code;

/// <summary>Folders are packed and unpacked: the same files come out, and archives of others can do no harm.</summary>
public sealed class PackTests : IDisposable
{
    private const long Room = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("cocaine-pack-").FullName;
    private int _count;

    public void Dispose()
    {
        using Process chmod = Process.Start("chmod", ["-R", "u+rwx", _folder]);
        chmod.WaitForExit();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Files_folders_and_links_come_out_as_they_went_in()
    {
        string from = NewFolder(), to = NewFolder();
        Put(from, "app.py", "print()");
        Put(from, "lib/deep/" + new string('x', 120) + "/module.py", "1");
        Put(from, "run.sh", "#!/bin/sh");
        File.SetUnixFileMode(Path.Combine(from, "run.sh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(from, "empty"));
        File.CreateSymbolicLink(Path.Combine(from, "lib", "link.py"), "../app.py");
        CodeUnpack.Into(Packed(from), to, Room);
        Assert.Equal(ListOf(from), ListOf(to));
        Assert.Equal("print()", File.ReadAllText(Path.Combine(to, "lib", "link.py")));
        Assert.True(File.GetUnixFileMode(Path.Combine(to, "run.sh")).HasFlag(UnixFileMode.OtherExecute));
        foreach (string path in new[] { "", "lib", "app.py", "empty" })
        {
            const UnixFileMode write = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
            Assert.Equal(default, File.GetUnixFileMode(Path.Combine(to, path)) & write);
        }
    }

    /// <summary>The name of a pack says its content alone: neither times, nor owners, nor the order on the disk.</summary>
    [Fact]
    public void The_same_files_make_the_same_name()
    {
        string a = NewFolder(), b = NewFolder();
        string[] files = [.. Enumerable.Range(0, 40).Select(i => $"f{i}/{new string('n', i * 4)}n")];
        foreach (string file in files)
        {
            Put(a, file, file);
        }

        foreach (string file in files.Reverse())
        {
            Put(b, file, file);
            File.SetLastWriteTimeUtc(Path.Combine(b, file), DateTime.UnixEpoch.AddDays(300));
        }

        Assert.Equal(NameOf(a), NameOf(b));
        Put(b, "f1/more", "");
        Assert.NotEqual(NameOf(a), NameOf(b));
    }

    [Theory]
    [InlineData("*.pyc", "a.pyc b/c.pyc", "a.py b/c.py")]
    [InlineData("__pycache__/", "__pycache__/x b/__pycache__/y", "b/x")]
    [InlineData("/data", "data/x", "b/data/x")]
    [InlineData("b/*.txt", "b/x.txt", "x.txt b/c/x.txt c/b/x.txt")]
    [InlineData("b/**/x", "b/x b/c/x b/c/d/x", "x c/x b/y")]
    [InlineData("**/x", "x b/x", "y")]
    [InlineData("b/**", "b/x b/c/y", "x")]
    [InlineData("?.log", "a.log b/c.log", "ab.log")]
    [InlineData("a.b", "a.b", "axb")]
    [InlineData("x/", "x/y", "b/x")] // a file b/x is no folder
    [InlineData("# nothing\n\n  \n", ".git/config", "# x")]
    public void The_ignored_files_stay_out(string rules, string outside, string inside)
    {
        string from = NewFolder(), to = NewFolder();
        string[] kept = inside == "# x" ? ["# x"] : inside.Split(' ');
        foreach (string file in outside.Split(' ').Concat(kept))
        {
            Put(from, file, "");
        }

        Put(from, IgnoreRules.FileName, rules);
        CodeUnpack.Into(Packed(from), to, Room);
        IEnumerable<string> files = Directory.GetFiles(to, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });
        Assert.Equal(kept.Order(), files.Select(file => Path.GetRelativePath(to, file)).Order());
    }

    [Fact]
    public void A_folder_that_cannot_be_packed_says_why()
    {
        string folder = NewFolder();
        Put(folder, IgnoreRules.FileName, "ok\n!keep");
        Assert.Equal(".cocaineignore, line 2: exceptions (!) are not supported", Refusal(folder));
        File.Delete(Path.Combine(folder, IgnoreRules.FileName));
        Put(folder, "big", new string('x', 3 << 20));
        Assert.StartsWith("the code is larger than 0 MiB: .cocaineignore", Refusal(folder, 300 * 1024), StringComparison.Ordinal);
        File.Delete(Path.Combine(folder, "big"));
        File.CreateSymbolicLink(Path.Combine(folder, "out"), "/etc/passwd");
        Assert.Equal("the link out leads out of the folder, to /etc/passwd", Refusal(folder));
        File.Delete(Path.Combine(folder, "out"));
        using (Process mkfifo = Process.Start("mkfifo", [Path.Combine(folder, "pipe")]))
        {
            mkfifo.WaitForExit();
        }

        Assert.StartsWith("pipe is neither a file, a folder nor a link", Refusal(folder), StringComparison.Ordinal);
        Assert.EndsWith("is no folder", Refusal(Path.Combine(folder, "none")), StringComparison.Ordinal);
    }

    /// <summary>Each archive would write somewhere else, or without end.</summary>
    [Fact]
    public void A_hostile_archive_is_refused_and_nothing_is_written_outside()
    {
        (string Words, TarEntry[] Entries)[] cases =
        [
            ("leads out of its folder", [FileEntry("../x")]),
            ("leads out of its folder", [FileEntry("/etc/x")]),
            ("leads out of its folder", [FolderEntry("a"), FileEntry("a/../../x")]),
            ("leads out of its folder", [FileEntry("a//b")]),
            ("leads out of its folder", [FileEntry("./a")]),
            ("leads out of its folder", [FileEntry(new string('y', 2000))]),
            ("did not come before it", [FileEntry("a/b")]),
            ("did not come before it", [LinkEntry("a", "."), FileEntry("a/b")]),
            ("leads out of the folder", [LinkEntry("a", "..")]),
            ("leads out of the folder", [LinkEntry("a", "/etc")]),
            ("leads out of the folder", [FolderEntry("a"), LinkEntry("a/b", "../../x")]),
            ("through another link", [FolderEntry("a"), FolderEntry("a/b"), LinkEntry("l", "a/b"), LinkEntry("m", "l/../x")]),
            ("two entries a", [FileEntry("a"), FileEntry("a")]),
            ("two entries a", [LinkEntry("a", "b"), FileEntry("a")]),
            ("is a HardLink", [FileEntry("a"), new GnuTarEntry(TarEntryType.HardLink, "b") { LinkName = "a" }]),
            ("is a Fifo", [new GnuTarEntry(TarEntryType.Fifo, "b")]),
            ("is a CharacterDevice", [new GnuTarEntry(TarEntryType.CharacterDevice, "b")]),
            ("have more than 1 MiB", [FileEntry("a", 700 * 1024), FileEntry("b", 700 * 1024)]),
        ];
        foreach ((string words, TarEntry[] entries) in cases)
        {
            string outer = NewFolder(), to = Directory.CreateDirectory(Path.Combine(outer, "to")).FullName;
            CodeException refusal = Assert.Throws<CodeException>(() => CodeUnpack.Into(ArchiveOf(entries), to, Room));
            Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
            Assert.Equal([to], Directory.GetFileSystemEntries(outer));
        }

        MemoryStream many = ArchiveOf([.. Enumerable.Range(0, CodeLimits.MostEntries + 1).Select(i => FolderEntry($"f{i}"))]);
        string bound = Assert.Throws<CodeException>(() => CodeUnpack.Into(many, NewFolder(), Room)).Message;
        Assert.Contains("more than 65536 files", bound, StringComparison.Ordinal);
    }

    /// <summary>An archive that was cut or changed anywhere is refused in words, or gives files; it throws nothing else.</summary>
    [Fact]
    public void A_damaged_archive_is_refused_in_words()
    {
        string from = NewFolder();
        Put(from, "a/b.py", "print('hello, world')");
        byte[] good = Packed(from).ToArray();
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[1, good.Length]).Sample(
            (at, value, length) =>
            {
                byte[] bytes = [.. good];
                bytes[at] = value;
                string to = NewFolder();
                try
                {
                    CodeUnpack.Into(new MemoryStream(bytes[..length]), to, Room);
                }
                catch (CodeException)
                {
                    // in words
                }
            },
            iter: 2000, threads: 1);
    }

    private static GnuTarEntry FileEntry(string path, int bytes = 1) =>
        new(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(new byte[bytes]) };

    private static GnuTarEntry FolderEntry(string path) => new(TarEntryType.Directory, path);

    private static GnuTarEntry LinkEntry(string path, string target) => new(TarEntryType.SymbolicLink, path) { LinkName = target };

    private static MemoryStream ArchiveOf(TarEntry[] entries)
    {
        MemoryStream archive = new();
        using (GZipStream gzip = new(archive, CompressionLevel.Fastest, leaveOpen: true))
        using (TarWriter tar = new(gzip, TarEntryFormat.Gnu))
        {
            foreach (TarEntry entry in entries)
            {
                tar.WriteEntry(entry);
            }
        }

        archive.Position = 0;
        return archive;
    }

    private static string[] ListOf(string folder) =>
    [
        .. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(entry => $"{Path.GetRelativePath(folder, entry.FullName)} {entry.GetType().Name} {entry.LinkTarget} "
                + (entry is FileInfo { Exists: true } file ? File.ReadAllText(file.FullName) : ""))
            .Order(StringComparer.Ordinal),
    ];

    private static string Refusal(string folder, long most = Room) =>
        Assert.Throws<CodeException>(() => CodePack.Write(folder, new MemoryStream(), most)).Message;

    private static MemoryStream Packed(string folder)
    {
        MemoryStream archive = new();
        CodePack.Write(folder, archive);
        archive.Position = 0;
        return archive;
    }

    private static string NameOf(string folder) => CodePack.Write(folder, new MemoryStream());

    private string NewFolder() => Directory.CreateDirectory(Path.Combine(_folder, $"{_count++}")).FullName;

    private static void Put(string folder, string file, string text)
    {
        string path = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
