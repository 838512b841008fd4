using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Trust;

/// <summary>A file with a key: only its owner may read it, and its owner is this user or root.</summary>
internal static class SecretFile
{
    private const UnixFileMode Group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const UnixFileMode Change = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>The reason why a secret is not safe in this file or folder, with the remedy; null when it is safe.</summary>
    public static string? Problem(in FileStatus status) => ProblemOfOwner(in status)
        ?? ((status.Mode & Others) != 0 ? Remedy(in status, "can be reached by every user")
            : (status.Mode & Group) != 0 ? Remedy(in status, "can be reached by its group") : null);

    /// <summary>The reason why the bytes of a public file cannot be relied on, with the remedy; null when they can.</summary>
    public static string? ProblemOfPublic(in FileStatus status) => ProblemOfOwner(in status)
        ?? ((status.Mode & Change) != 0 ? $"others than its owner can change it (mode {Octal(status.Mode)}): chmod go-w" : null);

    private static string? ProblemOfOwner(in FileStatus status) => status.OwnerId == 0 || status.OwnerId == LibC.geteuid() ? null
        : $"it belongs to user {status.OwnerId}, and neither to root nor to this user";

    private static string Remedy(in FileStatus status, string reach) =>
        $"it {reach} (mode {Octal(status.Mode)}): chmod {(status.Kind == FileKind.Folder ? "700" : "600")}";

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');
}
