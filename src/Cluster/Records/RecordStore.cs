using Cocaine.Fast.Cluster.Code;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Cluster.Records;

/// <summary>
/// The records of a node's cluster on its disk: a file for each app in <c>cluster/apps</c>. A record is whole on the disk before anything
/// acts on it. The methods that write throw an <see cref="IOException"/> or an <see cref="UnauthorizedAccessException"/> when the disk does
/// not take it. From any thread.
/// </summary>
internal sealed class RecordStore
{
    private const string Suffix = ".json";

    private readonly string _folder, _keptFolder, _syncFile;
    private readonly Lock _lock = new(); // guards the fields below, and the files
    private readonly Dictionary<string, (AppRecord Record, DateTime StoredUtc)> _records = [];

    /// <summary>Reads what is there; a file that is no record is left for people.</summary>
    /// <param name="clusterFolder">The folder <c>cluster</c> of the node's state folder.</param>
    /// <param name="onBroken">Called with the path of each file that is no record.</param>
    public RecordStore(string clusterFolder, Action<string> onBroken)
    {
        _folder = Path.Combine(clusterFolder, "apps");
        _keptFolder = Path.Combine(clusterFolder, "kept");
        _syncFile = Path.Combine(clusterFolder, "synced");
        if (!Directory.Exists(_folder))
        {
            return;
        }

        foreach (string file in Directory.GetFiles(_folder, "." + "*" + PendingFile.Suffix))
        {
            File.Delete(file); // of a write that a crash ended
        }

        foreach (string file in Directory.GetFiles(_folder, "*" + Suffix))
        {
            if (RecordText.Read(File.ReadAllBytes(file)) is { } record && IsGood(Path.GetFileNameWithoutExtension(file), record))
            {
                _records[record.App] = (record, File.GetLastWriteTimeUtc(file));
            }
            else
            {
                onBroken(file);
            }
        }
    }

    /// <summary>All records, tombstones too.</summary>
    public IReadOnlyList<AppRecord> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _records.Values.Select(one => one.Record)];
            }
        }
    }

    /// <summary>How long ago this node was in sync with the engine, by the wall clock of this node; very long when never.</summary>
    public TimeSpan SinceSync => File.Exists(_syncFile) ? DateTime.UtcNow - File.GetLastWriteTimeUtc(_syncFile) : TimeSpan.MaxValue;

    /// <summary>The record of an app, which may be a tombstone; null when there is none.</summary>
    /// <param name="app">The app.</param>
    public AppRecord? Find(string app)
    {
        lock (_lock)
        {
            return _records.TryGetValue(app, out (AppRecord Record, DateTime StoredUtc) one) ? one.Record : null;
        }
    }

    /// <summary>How long ago the record of an app was stored, by the wall clock of this node.</summary>
    /// <param name="app">The app.</param>
    public TimeSpan SinceStored(string app)
    {
        lock (_lock)
        {
            return _records.TryGetValue(app, out (AppRecord Record, DateTime StoredUtc) one) ? DateTime.UtcNow - one.StoredUtc
                : TimeSpan.Zero;
        }
    }

    /// <summary>Whether the record may be the one of this name: a text of the engine may be anything.</summary>
    /// <param name="app">The name.</param>
    /// <param name="record">The record.</param>
    public static bool IsGood(string app, AppRecord record) => record.App == app && KeyReader.IsAppName(app)
        && (record.IsDeleted || (HasPlace(record.Release) && (record.Previous is null || HasPlace(record.Previous))));

    private static bool HasPlace(AppRelease release) => release.Code is { } code
        ? CodeFolder.IsName(code) && CodeFolder.IsWithin(release.Path)
        : Path.IsPathRooted(release.Path) && !release.Path.Contains('\0');

    /// <summary>Keeps a record, in the place of the app's earlier one.</summary>
    /// <param name="record">The record.</param>
    public void Keep(AppRecord record)
    {
        lock (_lock)
        {
            Write(_folder, record.App + Suffix, RecordText.Write(record));
            _records[record.App] = (record, DateTime.UtcNow);
        }
    }

    /// <summary>Keeps a record for people, beside those that count: the latest of its kind of the app.</summary>
    /// <param name="record">The record.</param>
    /// <param name="kind"><c>conflict</c> or <c>old</c>.</param>
    /// <returns>The path of the file.</returns>
    public string KeepAside(AppRecord record, string kind)
    {
        lock (_lock)
        {
            return Write(_keptFolder, $"{record.App}.{kind}{Suffix}", RecordText.Write(record));
        }
    }

    /// <summary>Forgets the record of an app.</summary>
    /// <param name="app">The app.</param>
    public void Forget(string app)
    {
        lock (_lock)
        {
            File.Delete(Path.Combine(_folder, app + Suffix));
            FolderSync.Flush(_folder);
            _records.Remove(app);
        }
    }

    /// <summary>Forgets all records, because the node leaves its cluster.</summary>
    public void ForgetAll()
    {
        foreach (AppRecord record in All)
        {
            Forget(record.App);
        }

        if (File.Exists(_syncFile))
        {
            File.Delete(_syncFile);
        }
    }

    /// <summary>The node is in sync now.</summary>
    public void KeepSync()
    {
        if (File.Exists(_syncFile))
        {
            File.SetLastWriteTimeUtc(_syncFile, DateTime.UtcNow);
        }
        else
        {
            Write(Path.GetDirectoryName(_syncFile)!, Path.GetFileName(_syncFile), "the time of this file counts\n"u8);
        }
    }

    private static string Write(string folder, string name, ReadOnlySpan<byte> text)
    {
        PrivateFolder.Make(folder);
        string path = Path.Combine(folder, name);
        using PendingFile pending = PendingFile.Write(path, text);
        pending.Commit();
        return path;
    }
}
