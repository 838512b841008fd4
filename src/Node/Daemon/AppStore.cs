using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>The kept manifest of an app, or the fault of its file.</summary>
/// <param name="Name">The app, by the file's name.</param>
/// <param name="Manifest">The app's manifest as its user gave it; null when the file is broken.</param>
/// <param name="Problem">The fault of the file; null when there is none.</param>
internal sealed record StoredApp(string Name, ManifestText? Manifest, string? Problem);

/// <summary>
/// The created apps with their original manifests, one file for each in <c>apps/</c> of the state folder. A file is written beside its
/// place and renamed into it, and both steps are on the disk before the caller gets an answer: a crash leaves the old file or the new one.
/// </summary>
internal sealed class AppStore
{
    private const string Suffix = ".json";

    private readonly string _folder;

    /// <exception cref="NodeException">The folder cannot be made.</exception>
    public AppStore(string stateFolder)
    {
        _folder = Path.Combine(stateFolder, "apps");
        try
        {
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the folder {_folder} cannot be used: {failure.Message}", failure);
        }
    }

    /// <summary>All kept apps, by name; broken files are left for people.</summary>
    /// <exception cref="NodeException">The folder cannot be read.</exception>
    public IReadOnlyList<StoredApp> Load() => [.. Files(Suffix).Select(Read)];

    /// <summary>
    /// Removes files of writes that a crash ended. Only at the start, because later the same files belong to writes under way.
    /// </summary>
    /// <exception cref="NodeException">The folder cannot be used.</exception>
    public void RemoveLeftovers(ILogger log)
    {
        foreach (string file in Files(PendingFile.Suffix))
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new NodeException($"the folder {_folder} cannot be used: {failure.Message}", failure);
            }

            DaemonLog.LeftoverRemoved(log, file);
        }
    }

    /// <summary>The kept manifest of an app; null when there is none.</summary>
    public StoredApp? Find(string name) => File.Exists(PathOf(name)) ? Read(PathOf(name)) : null;

    /// <summary>Writes an app to the disk; the app is kept once the file is committed.</summary>
    /// <exception cref="NodeException">There is no room, or no right.</exception>
    public PendingFile Prepare(string name, ManifestText manifest)
    {
        try
        {
            return PendingFile.Write(PathOf(name), StoredAppFormat.Write(manifest));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CannotKeep(name, failure);
        }
    }

    /// <summary>Keeps a prepared file.</summary>
    /// <exception cref="NodeException">The file cannot be put in its place.</exception>
    public static void Commit(string name, PendingFile file)
    {
        try
        {
            file.Commit();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CannotKeep(name, failure);
        }
    }

    /// <summary>Forgets an app; returns when a crash cannot bring it back. Does nothing when the app was not kept.</summary>
    /// <exception cref="NodeException">The file cannot be removed.</exception>
    public void Delete(string name)
    {
        try
        {
            File.Delete(PathOf(name));
            FolderSync.Flush(_folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"app {name} cannot be forgotten, and goes on: {failure.Message}", failure);
        }
    }

    /// <summary>The fault of an app's file, and the remedy.</summary>
    public string Broken(string name, string why) => BrokenFile(PathOf(name), why);

    private List<string> Files(string suffix)
    {
        try
        {
            return [.. Directory.EnumerateFiles(_folder).Where(file => file.EndsWith(suffix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new NodeException($"the folder {_folder} cannot be read: {failure.Message}", failure);
        }
    }

    private static StoredApp Read(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        try
        {
            if (FileStatus.TryRead(file, out FileStatus status) && !status.IsPlain)
            {
                throw new FormatException("it is no file"); // opening a pipe would wait for a writer
            }

            return new StoredApp(name, StoredAppFormat.Read(File.ReadAllBytes(file)), null);
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            return new StoredApp(name, null, BrokenFile(file, failure.Message));
        }
    }

    private static string BrokenFile(string file, string why) => $"{file} is broken: {why}; create the app anew, or delete it";

    private static NodeException CannotKeep(string name, Exception failure) =>
        new($"app {name} cannot be kept: {failure.Message}; nothing was changed", failure);

    private string PathOf(string name) => Path.Combine(_folder, name + Suffix);
}
