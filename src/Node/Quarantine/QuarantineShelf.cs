using Cocaine.Fast.Transport.Files;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>The facts about a kept job that are known without reading it.</summary>
/// <param name="Job">The job's row in a list.</param>
/// <param name="SizeBytes">The job's size.</param>
/// <param name="Bytes">All bytes of a job in memory; null for a file.</param>
internal sealed record ShelfEntry(QuarantineEntry Job, long SizeBytes, byte[]? Bytes);

/// <summary>
/// The place of quarantined jobs: one file for each in a folder for each app, or the node's memory when it has no state folder. Bounded:
/// the oldest job goes when there is no room. Any thread.
/// </summary>
internal sealed class QuarantineShelf
{
    private const string Suffix = ".job";

    private readonly string? _folder;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Id, string App), ShelfEntry> _entries = []; // an id begins with its time: the oldest first
    private long _sizeBytes;

    /// <param name="folder">The folder; null = in memory.</param>
    /// <param name="log">The node's log.</param>
    public QuarantineShelf(string? folder, ILogger log)
    {
        _folder = folder;
        _log = log;
        if (folder is not null && Directory.Exists(folder))
        {
            LoadAll(folder);
        }
    }

    private long MaxBytes => _folder is null ? QuarantineLimits.MaxMemoryBytes : QuarantineLimits.MaxBytes;

    public IReadOnlyList<QuarantineEntry> List(string? app)
    {
        lock (_lock)
        {
            return [.. _entries.Values.Select(entry => entry.Job).Where(job => app is null || job.App == app)];
        }
    }

    /// <summary>Puts a job on the shelf, durably when there is a folder, and makes room for it.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write the file.</exception>
    public void Put(QuarantineEntry job, byte[] bytes)
    {
        if (bytes.Length > MaxBytes)
        {
            QuarantineLog.NotKept(_log, job.App, job.Id, $"it takes {bytes.Length} bytes, and {MaxBytes} are for all");
            return;
        }

        if (_folder is not null)
        {
            Directory.CreateDirectory(
                Path.GetDirectoryName(PathOf(job.App, job.Id))!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using PendingFile file = PendingFile.Write(PathOf(job.App, job.Id), bytes);
            file.Commit();
        }

        lock (_lock)
        {
            Add(new ShelfEntry(job, bytes.Length, _folder is null ? bytes : null));
            while (_entries.Count > QuarantineLimits.MaxJobs || _sizeBytes > MaxBytes)
            {
                ShelfEntry oldest = _entries.First().Value;
                QuarantineLog.Dropped(_log, oldest.Job.App, oldest.Job.Id, _entries.Count, _sizeBytes);
                Remove(oldest);
            }
        }
    }

    /// <summary>The whole job; null when the shelf does not have it.</summary>
    /// <exception cref="IOException">The job's file cannot be read, or is broken.</exception>
    public StoredJob? Take(string app, string id)
    {
        ShelfEntry? entry;
        lock (_lock)
        {
            entry = _entries.GetValueOrDefault((id, app));
        }

        try
        {
            return entry is null ? null : QuarantineFile.Read(entry.Bytes ?? File.ReadAllBytes(PathOf(app, id)));
        }
        catch (InvalidDataException broken)
        {
            throw new IOException($"{PathOf(app, id)} is broken: {broken.Message}", broken);
        }
    }

    /// <summary>False when the shelf does not have the job.</summary>
    public bool Drop(string app, string id)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue((id, app), out ShelfEntry? entry))
            {
                return false;
            }

            Remove(entry);
            return true;
        }
    }

    private void Add(ShelfEntry entry)
    {
        _entries[(entry.Job.Id, entry.Job.App)] = entry;
        _sizeBytes += entry.SizeBytes;
    }

    private void Remove(ShelfEntry entry)
    {
        _entries.Remove((entry.Job.Id, entry.Job.App));
        _sizeBytes -= entry.SizeBytes;
        if (_folder is null)
        {
            return;
        }

        try
        {
            File.Delete(PathOf(entry.Job.App, entry.Job.Id));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            QuarantineLog.CannotDelete(_log, entry.Job.App, entry.Job.Id, failure.Message);
        }
    }

    private void LoadAll(string folder)
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                Load(path);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            QuarantineLog.Broken(_log, folder, failure.Message);
        }
    }

    private void Load(string path)
    {
        try
        {
            if (path.EndsWith(PendingFile.Suffix, StringComparison.Ordinal))
            {
                File.Delete(path); // a node ended while it wrote this file
                return;
            }

            if (!path.EndsWith(Suffix, StringComparison.Ordinal))
            {
                return;
            }

            byte[] bytes = File.ReadAllBytes(path);
            StoredJob job = QuarantineFile.Read(bytes);
            if (PathOf(job.App, job.Id) != path)
            {
                throw new InvalidDataException("it says another name of itself");
            }

            Add(new ShelfEntry(
                new QuarantineEntry(job.Id, job.App, job.Event, job.Time, job.Cause, job.ChunkBytes.Sum(length => (long)length)),
                bytes.Length, null));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            QuarantineLog.Broken(_log, path, failure.Message);
        }
    }

    private string PathOf(string app, string id) => Path.Combine(_folder ?? "memory", app, id + Suffix);
}
