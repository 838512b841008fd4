using Cocaine.Fast.Cluster.Code;
using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Control.Messages;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The packed code of the cluster's apps on this node.</summary>
/// <param name="folder">The folder of the packs.</param>
/// <param name="records">The records of the apps.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterCode(CodeFolder folder, Func<IEnumerable<AppRecord>> records, ILogger log)
{
    /// <summary>How long after the begin of a session, and how often then, packs are put back and removed.</summary>
    private static readonly TimeSpan FirstTidying = TimeSpan.FromSeconds(1), Period = TimeSpan.FromMinutes(5);

    private readonly CodeSync _packs = new(folder);

    /// <summary>Removes what a crash has left, and everything when the node left its cluster. Called once, before all else.</summary>
    /// <param name="isMember">Whether the node belongs to a cluster.</param>
    public void Start(bool isMember)
    {
        try
        {
            folder.RemoveLeftovers();
            foreach (string name in isMember ? [] : folder.Names())
            {
                folder.Remove(name);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            ClusterLog.CodeFailed(log, failure.Message);
        }
    }

    /// <summary>A session has begun: packs come and go until it ends.</summary>
    /// <param name="session">The session.</param>
    /// <exception cref="EngineException">The engine does not let this node keep code.</exception>
    public async Task AttachAsync(NatsSession session)
    {
        _packs.Attach(await session.ObjectsAsync(CodeSync.Bucket));
        _ = NodeThreads.Run(() => TidyAsync(session)); // throws nothing, and ends with the session
    }

    /// <summary>The session has ended.</summary>
    public void Detach() => _packs.Detach();

    /// <summary>Takes the next bytes of a pack.</summary>
    /// <param name="request">The bytes.</param>
    /// <returns>The number of bytes that are here.</returns>
    /// <exception cref="NodeException">The pack is not good, or the engine does not take it.</exception>
    public Task<long> TakeAsync(CodeRequest request)
    {
        byte[] bytes = new byte[CodeLimits.PortionBytes];
        if (!CodeFolder.IsName(request.Name) || request.Size < 0 || request.At < 0
            || !Convert.TryFromBase64String(request.Data, bytes, out int count))
        {
            throw new NodeException(
                $"'name' is a SHA-256 in hexadecimal, 'size' and 'at' are numbers of bytes, and 'data' is base64 of at most {bytes.Length}")
            {
                Code = ErrorCodes.BadRequest,
            };
        }

        return InWordsAsync(() => _packs.TakeAsync(request.Name, request.Size, request.At, bytes.AsMemory(0, count)));
    }

    /// <summary>Makes sure that the code of a record is here.</summary>
    /// <param name="record">The record.</param>
    /// <exception cref="NodeException">The code cannot be had.</exception>
    public Task EnsureAsync(AppRecord record) =>
        record.Code is { } code ? InWordsAsync(() => _packs.EnsureAsync(code)) : Task.CompletedTask;

    /// <summary>The path of a manifest in a pack, which is fetched when it is not here.</summary>
    /// <param name="code">The place.</param>
    /// <exception cref="NodeException">The place is none, or the code cannot be had.</exception>
    public async Task<string> FindAsync(PackedCode code)
    {
        if (!CodeFolder.IsName(code.Name) || !CodeFolder.IsWithin(code.Path))
        {
            throw new NodeException("'code' is the SHA-256 of a pack in hexadecimal, and 'path' leads to a place in it")
            {
                Code = ErrorCodes.BadRequest,
            };
        }

        return Path.Combine(await InWordsAsync(() => _packs.EnsureAsync(code.Name)), code.Path);
    }

    /// <summary>Whether the code of a record is here.</summary>
    /// <param name="record">The record.</param>
    public bool Has(AppRecord record) => record.Code is not { } code || folder.Find(code) is not null;

    /// <summary>The path of a record's manifest on this node.</summary>
    /// <param name="record">The record.</param>
    /// <exception cref="NodeException">The code is not here.</exception>
    public string PathOf(AppRecord record) => record.Code is not { } code ? record.Path
        : folder.Find(code) is { } files ? Path.Combine(files, record.Path)
        : throw new NodeException("the code of the app is not here any more");

    private async Task TidyAsync(NatsSession session)
    {
        TimeSpan wait = FirstTidying * (0.5 + Random.Shared.NextDouble()); // mostly the first node writes, and the others find it done
        while (await Task.WhenAny(session.Ended, Task.Delay(wait, NodeClock.Instance)) != session.Ended)
        {
            try
            {
                HashSet<string> named = [.. records().SelectMany(record => new[] { record.Code, record.Previous?.Code }).OfType<string>()];
                await _packs.TidyAsync(named, tidiesEngine: wait > FirstTidying * 2);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                if (!session.Ended.IsCompleted)
                {
                    ClusterLog.CodeFailed(log, failure.Message);
                }
            }

            wait = Period * (0.5 + Random.Shared.NextDouble());
        }
    }

    private static async Task<T> InWordsAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (CodeException failure)
        {
            throw new NodeException(failure.Message, failure) { Code = ErrorCodes.BadRequest };
        }
        catch (EngineException failure)
        {
            throw new NodeException(failure.Message, failure) { Code = ErrorCodes.ResourceError };
        }
    }
}
