using System.Text;
using Cocaine.Fast.Transport.Files;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary>A file to make.</summary>
/// <param name="Path">Its place.</param>
/// <param name="Text">Its content.</param>
/// <param name="IsSecret">Only its owner may read it.</param>
internal sealed record NewFile(string Path, string Text, bool IsSecret = false);

/// <summary>Writes files that belong together, such as a key and its certificate.</summary>
internal static class NewFiles
{
    /// <summary>
    /// Writes the files, and prints a line for each. A secret has its mode from its first byte on. All bytes are on the disk before the
    /// first file is put into its place.
    /// </summary>
    /// <param name="mayReplace">Files that are there already are replaced.</param>
    /// <param name="files">The files; one with a secret goes before the ones that need it.</param>
    /// <exception cref="FormatException">A file is there already; nothing was written.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(bool mayReplace, params IReadOnlyList<NewFile> files)
    {
        if (!mayReplace && files.FirstOrDefault(file => IsThere(file.Path)) is { } old)
        {
            throw new FormatException($"{old.Path} is there already, and nothing was written; --force replaces it");
        }

        List<PendingFile> pending = [];
        try
        {
            foreach (NewFile file in files)
            {
                pending.Add(PendingFile.Write(
                    Path.GetFullPath(file.Path), Encoding.UTF8.GetBytes(file.Text), othersMayRead: !file.IsSecret));
            }

            for (int i = 0; i < pending.Count; i++)
            {
                pending[i].Commit(mayReplace);
                Console.WriteLine($"made {files[i].Path}");
            }
        }
        finally
        {
            pending.ForEach(file => file.Dispose());
        }
    }

    /// <summary>A link that leads nowhere is there too.</summary>
    private static bool IsThere(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;
}
