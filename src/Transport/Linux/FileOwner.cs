using System.Text;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>Gives a file to another user. .NET has no call for this.</summary>
/// <remarks>Safety: the path is a zero-ended copy that is pinned for the call.</remarks>
internal static unsafe class FileOwner
{
    /// <exception cref="IOException">This process lacks the right, or the file does not exist.</exception>
    public static void Set(string file, uint user, uint group)
    {
        fixed (byte* path = Encoding.UTF8.GetBytes(file + '\0'))
        {
            if (LibC.lchown(path, user, group) != 0)
            {
                throw LibC.Failure($"chown {file}");
            }
        }
    }
}
