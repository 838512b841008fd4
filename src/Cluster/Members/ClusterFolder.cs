using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Transport.Files;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Cluster.Members;

/// <summary>
/// The folder <c>cluster</c> in a node's state folder: the node's identity, that of its cluster, and the engine that a command has joined.
/// A file is whole or not there. The methods that write throw an <see cref="IOException"/> or an
/// <see cref="UnauthorizedAccessException"/> when the disk does not take it.
/// </summary>
/// <param name="path">The folder; made when something is written into it.</param>
internal sealed class ClusterFolder(string path)
{
    private const string NodeFile = "node", IdFile = "id", EngineFile = "engine", MembersFile = "members";

    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>The addresses of the engine that a command has joined, with commas between them; null when there is none.</summary>
    public string? ReadEngine() => Read(EngineFile) is { } text ? Encoding.UTF8.GetString(text).Trim() : null;

    /// <summary>Keeps the addresses of the engine.</summary>
    /// <param name="urls">The addresses.</param>
    public void KeepEngine(string urls) => Write(EngineFile, Encoding.UTF8.GetBytes(urls + "\n"));

    /// <summary>The cluster that this node belongs to; null when it belongs to none.</summary>
    /// <exception cref="IOException">The file is damaged: a node that does not know its cluster joins none.</exception>
    public ClusterId? ReadId() => Read(IdFile) is not { } text ? null
        : MemberText.Read<ClusterId>(text) ?? throw Damaged(IdFile, "the node asks its cluster for it");

    /// <summary>Makes the node belong to a cluster.</summary>
    /// <param name="id">The cluster.</param>
    public void KeepId(ClusterId id) => Write(IdFile, MemberText.Write(id));

    /// <summary>The members as this node saw them last; none when the file is damaged.</summary>
    public IReadOnlyList<MemberRecord> ReadMembers() => MemberText.Read<MemberRecord[]>(Read(MembersFile)) ?? [];

    /// <summary>Keeps the members for a start without the engine.</summary>
    /// <param name="members">The members.</param>
    public void KeepMembers(IEnumerable<MemberRecord> members) => Write(MembersFile, MemberText.Write(members.ToArray()));

    /// <summary>The identity of this node for its present start; both are kept, and the next start is higher.</summary>
    /// <param name="nowMs">ms since 1970.</param>
    public (string Uuid, long Incarnation) TakeIdentity(long nowMs)
    {
        Identity? last = Read(NodeFile) is not { } text ? null
            : MemberText.Read<Identity>(text) ?? throw Damaged(NodeFile, "the node is a new one in its cluster");
        Identity next = new(last?.Uuid ?? Guid.NewGuid().ToString(), Math.Max((last?.Incarnation ?? 0) + 1, nowMs));
        Write(NodeFile, MemberText.Write(next));
        return (next.Uuid, next.Incarnation);
    }

    /// <summary>A new cluster.</summary>
    public static ClusterId NewId() =>
        new(Guid.NewGuid().ToString(), Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), ClusterId.KnownFormat);

    /// <summary>The node belongs to no cluster any more; it keeps its own identity.</summary>
    public void Forget()
    {
        foreach (string file in (string[])[EngineFile, IdFile, MembersFile])
        {
            File.Delete(PathOf(file));
        }

        if (Directory.Exists(path))
        {
            FolderSync.Flush(path);
        }
    }

    private byte[]? Read(string file) => File.Exists(PathOf(file)) ? File.ReadAllBytes(PathOf(file)) : null;

    private void Write(string file, byte[] text)
    {
        PrivateFolder.Make(path);
        using PendingFile pending = PendingFile.Write(PathOf(file), text);
        pending.Commit();
    }

    private IOException Damaged(string file, string then) =>
        new($"{PathOf(file)} is damaged: put a copy back, or remove the file, and then {then}");

    private string PathOf(string file) => System.IO.Path.Combine(path, file);

    private sealed record Identity(string Uuid, long Incarnation);
}
