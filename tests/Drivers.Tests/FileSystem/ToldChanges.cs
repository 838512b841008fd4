using System.Text;
using Cocaine.Fast.Transport.Files;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>Passes the watcher's changes on, and keeps the last ones for the report of a failure.</summary>
internal sealed class ToldChanges(IFileChanges to) : IFileChanges
{
    private readonly List<string> _told = [];

    /// <summary>There is no room for changes: the watcher reads none of its events.</summary>
    public bool IsHeld { get; set; }

    public bool IsFull => IsHeld || to.IsFull;

    /// <summary>The last changes.</summary>
    public string Last => string.Join(", ", _told.TakeLast(80));

    public void Created(ReadOnlySpan<byte> name, bool isFolder)
    {
        Note("created", name, isFolder);
        to.Created(name, isFolder);
    }

    public void Modified(ReadOnlySpan<byte> name)
    {
        Note("modified", name, isFolder: false);
        to.Modified(name);
    }

    public void Deleted(ReadOnlySpan<byte> name, bool isFolder)
    {
        Note("deleted", name, isFolder);
        to.Deleted(name, isFolder);
    }

    public void Moved(ReadOnlySpan<byte> from, ReadOnlySpan<byte> name, bool isFolder, bool replaced)
    {
        Note($"moved {Encoding.UTF8.GetString(from)}{(replaced ? " over" : "")}", name, isFolder);
        to.Moved(from, name, isFolder, replaced);
    }

    private void Note(string what, ReadOnlySpan<byte> name, bool isFolder) =>
        _told.Add($"{what} {Encoding.UTF8.GetString(name)}{(isFolder ? "/" : "")}");
}
