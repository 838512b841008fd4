using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Drivers.FileSystem;

/// <summary>
/// Writes changes as the request of a job: <c>{path, events: [{type, name, mtime, size, …}]}</c>. The encoder uses only heads that old
/// MessagePack knows, too.
/// </summary>
internal sealed class BurstEncoder(string path, IReadOnlyList<string> wanted, TreeWatcher watcher)
{
    /// <summary>The most changes of one job: as many as a handler can take at once.</summary>
    public const int MaxChanges = 10_000;

    /// <summary>
    /// The most bytes of one job, approximately: below the size of requests that the engine keeps to run them again when a slave dies.
    /// </summary>
    private const int MaxBytes = 960 << 10;

    private readonly ArrayBufferWriter<byte> _events = new();
    private readonly ArrayBufferWriter<byte> _request = new();
    private readonly byte[] _path = Encoding.UTF8.GetBytes(path);
    private readonly bool _created = wanted.Contains("created");
    private readonly bool _modified = wanted.Contains("modified");
    private readonly bool _deleted = wanted.Contains("deleted");
    private readonly bool _moved = wanted.Contains("moved");

    /// <summary>
    /// The request of the burst's oldest changes, and the number of changes that it covers. The request is empty when none of these changes
    /// is wanted.
    /// </summary>
    public ReadOnlySpan<byte> Encode(Burst burst, out int changes, out int events)
    {
        _events.ResetWrittenCount();
        changes = events = 0;
        for (FileChange? change = burst.First; change is not null && changes < MaxChanges && _events.WrittenCount < MaxBytes;
            change = change.Next)
        {
            events += Write(change);
            changes++;
        }

        _request.ResetWrittenCount();
        if (events > 0)
        {
            MapHead(_request, 2);
            Text(_request, "path"u8);
            Name(_request, _path);
            Text(_request, "events"u8);
            _request.Advance(MsgPackEncoder.WriteArrayHead(_request.GetSpan(MsgPackEncoder.MaxHeadBytes), (uint)events));
            _request.Write(_events.WrittenSpan);
        }

        return _request.WrittenSpan;
    }

    /// <summary>Writes the wanted part of a change: a move is a deletion and a creation for a task that does not want moves.</summary>
    private int Write(FileChange change)
    {
        switch (change.Kind)
        {
            case ChangeKind.Created when _created:
                change.IsMissed = !WriteContent("created"u8, change.Name, change.IsFolder);
                return 1;
            case ChangeKind.Modified when _modified:
                change.IsMissed = !WriteContent("modified"u8, change.Name, change.IsFolder);
                return 1;
            case ChangeKind.Deleted when _deleted:
                WriteEvent("deleted"u8, change.Name, change.IsFolder, status: null);
                return 1;
            case ChangeKind.Moved when _moved:
                bool isThere = watcher.TryStatus(change.Name, out FileStatus status);
                WriteEvent("moved"u8, change.Name, change.IsFolder, isThere ? status : null, change.From);
                return 1;
            case ChangeKind.Moved:
                return WriteMoveAsOthers(change);
            default:
                return 0;
        }
    }

    private int WriteMoveAsOthers(FileChange change)
    {
        int events = 0;
        if (_deleted)
        {
            WriteEvent("deleted"u8, change.From!, change.IsFolder, status: null);
            events++;
        }

        if (change.Flag ? _modified : _created)
        {
            WriteContent(change.Flag ? "modified"u8 : "created"u8, change.Name, change.IsFolder);
            events++;
        }

        return events;
    }

    /// <summary>An event that makes the reader read the content. False when that may fail, or give another file.</summary>
    private bool WriteContent(ReadOnlySpan<byte> type, byte[] name, bool isFolder)
    {
        WriteEvent(type, name, isFolder, watcher.TryTell(name, out FileStatus status, out bool isRemembered) ? status : null);
        return isRemembered;
    }

    private void WriteEvent(ReadOnlySpan<byte> type, byte[] name, bool isFolder, FileStatus? status, byte[]? from = null)
    {
        MapHead(_events, 4 + (from is null ? 0 : 2) + (isFolder ? 1 : 0));
        Text(_events, "type"u8);
        Text(_events, type);
        Text(_events, "name"u8);
        Name(_events, name);
        if (from is not null)
        {
            Text(_events, "from"u8);
            Name(_events, from);
            Text(_events, "to"u8);
            Name(_events, name);
        }

        Text(_events, "mtime"u8);
        Span<byte> to = _events.GetSpan(MsgPackEncoder.MaxHeadBytes);
        _events.Advance(status is { } there ? MsgPackEncoder.WriteDouble(to, there.ModifiedNs / 1e9) : MsgPackEncoder.WriteNil(to));
        Text(_events, "size"u8);
        to = _events.GetSpan(MsgPackEncoder.MaxHeadBytes);
        _events.Advance(status is { } found ? MsgPackEncoder.WriteSigned(to, found.SizeBytes) : MsgPackEncoder.WriteNil(to));
        if (isFolder)
        {
            Text(_events, "folder"u8);
            _events.Advance(MsgPackEncoder.WriteBoolean(_events.GetSpan(1), true));
        }
    }

    private static void MapHead(ArrayBufferWriter<byte> to, int count) =>
        to.Advance(MsgPackEncoder.WriteMapHead(to.GetSpan(MsgPackEncoder.MaxHeadBytes), (uint)count));

    private static void Text(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> text)
    {
        to.Advance(MsgPackEncoder.WriteStringHead(to.GetSpan(MsgPackEncoder.MaxHeadBytes), (uint)text.Length, modern: false));
        to.Write(text);
    }

    /// <summary>Names are bytes; names that are not UTF-8 go as bin, because a reader of strings would fail on them.</summary>
    private static void Name(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> name)
    {
        if (Utf8.IsValid(name))
        {
            Text(to, name);
            return;
        }

        to.Advance(MsgPackEncoder.WriteBinaryHead(to.GetSpan(MsgPackEncoder.MaxHeadBytes), (uint)name.Length));
        to.Write(name);
    }
}
