using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Transport.Tests.Trust;

/// <summary>Sockets, apps and records go into folders only that nobody else can change.</summary>
public sealed class PrivateFolderTests : IDisposable
{
    private const uint Other = 61_234;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0700", null)]
    [InlineData("0755", null)]
    [InlineData("0711", null)]
    [InlineData("0770", "others than its owner may write to it (mode 0770)")]
    [InlineData("0777", "others than its owner may write to it (mode 0777)")]
    [InlineData("1777", "others than its owner may write to it (mode 1777)")]
    public void A_folder_that_others_may_write_to_is_refused(string mode, string? problem)
    {
        string path = Directory.CreateDirectory(_folder["made"]).FullName;
        Unprivileged.Run("/bin/chmod", mode, path);
        string? found = PrivateFolder.Problem(path, mayBeShared: false);
        Assert.Equal(problem is null, found is null);
        Assert.Contains(problem ?? "", found ?? "");
        Assert.Equal(mode == "1777" || problem is null, PrivateFolder.Problem(path, mayBeShared: true) is null);
    }

    [Fact]
    public void Folders_that_are_made_let_nobody_else_in_whatever_the_umask()
    {
        PrivateFolder.Make(_folder["a/b/c"]);
        const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.All(new[] { "a", "a/b", "a/b/c" }, name => Assert.Equal(Own, File.GetUnixFileMode(_folder[name])));
    }

    [Fact]
    public void What_stands_above_a_folder_counts_too()
    {
        string above = Directory.CreateDirectory(_folder["open"]).FullName, path = Directory.CreateDirectory(_folder["open/own"]).FullName;
        Unprivileged.Run("/bin/chmod", "0777", above);
        Assert.Contains("everybody may write to", PrivateFolder.Problem(path, mayBeShared: false));
        Unprivileged.Run("/bin/chmod", "1777", above);
        Assert.Null(PrivateFolder.Problem(path, mayBeShared: false));
    }

    [RootFact]
    public void Folders_and_links_of_others_are_refused_by_name()
    {
        string path = Directory.CreateDirectory(_folder["theirs"]).FullName;
        Unprivileged.Run("/bin/chmod", "0700", path);
        File.CreateSymbolicLink(_folder["link"], _folder.Path);
        Assert.Null(PrivateFolder.Problem(_folder["link"], mayBeShared: false));
        Unprivileged.Run("/bin/chown", "-h", $"{Other}", path, _folder["link"]);
        Assert.Contains($"it belongs to user {Other}", PrivateFolder.Problem(path, mayBeShared: false));
        Assert.Contains($"it is a link that user {Other} has made", PrivateFolder.Problem(_folder["link"], mayBeShared: false));
    }
}
