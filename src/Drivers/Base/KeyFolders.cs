using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// Folders of RSA keys that nobody but root and the node's user could have changed: neither a folder nor a link nor a file belongs to
/// another user, and no private key can be read by one.
/// </summary>
internal static class KeyFolders
{
    /// <summary>The folder, with these checks.</summary>
    public static KeyFolder Of(string path) => new(path)
    {
        FolderProblem = static folder => PrivateFolder.Problem(Path.GetFullPath(folder), mayBeShared: false),
        FileProblem = OfFile,
    };

    /// <summary>The file is judged by its descriptor: its name may lead to another one by now.</summary>
    private static string? OfFile(SafeFileHandle file, bool isOwn)
    {
        _ = FileStatus.TryRead((int)file.DangerousGetHandle(), out FileStatus status);
        return isOwn ? SecretFile.Problem(in status) : SecretFile.ProblemOfPublic(in status);
    }
}
