using System.Runtime.InteropServices;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>The renames and links of Linux that .NET does not offer. A Try is false when the file system says no.</summary>
internal static class FileRenames
{
    private const uint NoReplace = 1, Exchange = 2, Whiteout = 4;
    private const int HereFolder = -100;

    public static bool TryExchange(string one, string other) => Rename(HereFolder, one, HereFolder, other, Exchange) == 0;

    public static bool TryKeepOld(string from, string to) => Rename(HereFolder, from, HereFolder, to, NoReplace) == 0;

    /// <summary>A device stays under the old name. Only root may do this, and not on every file system.</summary>
    public static bool TryWhiteout(string from, string to) => Rename(HereFolder, from, HereFolder, to, Whiteout) == 0;

    /// <summary>A rename that replaces a file or an empty folder.</summary>
    public static bool TryReplace(string from, string to) => Rename(HereFolder, from, HereFolder, to, 0) == 0;

    public static bool TryLink(string existing, string name) => Link(existing, name) == 0;

    /// <summary>The number of names that a file has.</summary>
    public static int Names(string file)
    {
        byte[] status = new byte[256];
        return Status(HereFolder, file, 0, 0x7ff, status) == 0 ? BitConverter.ToInt32(status, 16) : 0;
    }

    [DllImport("libc", EntryPoint = "renameat2", CharSet = CharSet.Ansi)]
    private static extern int Rename(int fromFolder, string from, int toFolder, string to, uint flags);

    [DllImport("libc", EntryPoint = "link", CharSet = CharSet.Ansi)]
    private static extern int Link(string existing, string name);

    [DllImport("libc", EntryPoint = "statx", CharSet = CharSet.Ansi)]
    private static extern int Status(int folder, string path, int flags, uint mask, byte[] status);
}
