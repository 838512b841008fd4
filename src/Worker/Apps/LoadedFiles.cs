using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using Cocaine.Fast.Core.Digests;

namespace Cocaine.Fast.Worker;

/// <summary>
/// Loads files of apps in their present state. The runtime keeps the image of a file as long as a load context has it, and gives the same
/// image for its path again, even when the file has changed: a node that runs an app in threads would never run new code of it.
/// </summary>
internal static class LoadedFiles
{
    /// <summary>
    /// The content of each path at its first load by name. There is one entry for each file of an app, in all its versions.
    /// </summary>
    private static readonly ConcurrentDictionary<string, string> First = new();

    /// <summary>Loads a file into a context: by its path, or by its bytes when another file was loaded by that path before.</summary>
    public static Assembly Load(AssemblyLoadContext into, string path)
    {
        byte[] code = File.ReadAllBytes(path);
        string digest = Sha256.HexOf(code);
        if (First.GetOrAdd(path, digest) == digest)
        {
            return into.LoadFromAssemblyPath(path);
        }

        string symbols = Path.ChangeExtension(path, "pdb");
        using MemoryStream image = new(code), lines = new(File.Exists(symbols) ? File.ReadAllBytes(symbols) : []);
        return into.LoadFromStream(image, lines.Length > 0 ? lines : null);
    }
}
