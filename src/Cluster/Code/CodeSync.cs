using Cocaine.Fast.Cluster.Engine;

namespace Cocaine.Fast.Cluster.Code;

/// <summary>
/// Keeps the code of the cluster's apps on this node and in the engine: packs come here from a person or from the engine, and go back to
/// an engine that has lost them. From any thread; one work at a time. Nothing here runs on a loop.
/// </summary>
/// <param name="folder">The packs of this node.</param>
internal sealed class CodeSync(CodeFolder folder)
{
    /// <summary>The store of the packs in the engine.</summary>
    public const string Bucket = "cf_code";

    /// <summary>How long a pack that no record names stays in the engine: a person may put it there long before the app's record.</summary>
    private static readonly TimeSpan KeptInEngine = TimeSpan.FromHours(24);

    /// <summary>How long a pack that no record names stays on the disk: an older version of an app may finish its jobs with it.</summary>
    private static readonly TimeSpan KeptHere = TimeSpan.FromHours(25);

    private readonly SemaphoreSlim _gate = new(1); // without a handle, and so never disposed of
    private readonly Dictionary<string, long> _wantedMs = []; // when each pack here was wanted last, by the clock since the start
    private volatile EngineObjects? _engine; // null without a session

    /// <summary>A session has begun.</summary>
    /// <param name="engine">The engine's packs.</param>
    public void Attach(EngineObjects engine) => _engine = engine;

    /// <summary>The session has ended.</summary>
    public void Detach() => _engine = null;

    /// <summary>Takes the next bytes of a pack from a person; the last ones put it into the engine too.</summary>
    /// <param name="name">The pack.</param>
    /// <param name="sizeBytes">The bytes of the archive.</param>
    /// <param name="at">The number of bytes before these.</param>
    /// <param name="bytes">The bytes; none asks for the number that is here.</param>
    /// <returns>The number of bytes that are here now; all of them when the cluster has the pack.</returns>
    /// <exception cref="CodeException">The archive is too large or not good.</exception>
    /// <exception cref="EngineException">The engine does not take the pack; it stays here, and may be sent again.</exception>
    public Task<long> TakeAsync(string name, long sizeBytes, long at, ReadOnlyMemory<byte> bytes) => AloneAsync(async () =>
    {
        long here = folder.Take(name, sizeBytes, at, bytes.Span);
        if (here == sizeBytes)
        {
            Want(name);
            await PutAsync(name).ConfigureAwait(false);
        }

        return here;
    });

    /// <summary>The folder with the files of a pack, which is fetched from the engine when this node does not have it.</summary>
    /// <param name="name">The pack.</param>
    /// <exception cref="CodeException">The pack is not good, or the engine does not have it.</exception>
    /// <exception cref="EngineException">The engine did not give it.</exception>
    public Task<string> EnsureAsync(string name) => AloneAsync(async () =>
    {
        if (!CodeFolder.IsName(name))
        {
            throw new CodeException("the record names no pack of code");
        }

        Want(name);
        if (folder.Find(name) is null)
        {
            EngineObjects engine = _engine
                ?? throw new CodeException("this node does not have the code, and the cluster's engine cannot be reached now");
            long? size = await engine.SizeOfAsync(name).ConfigureAwait(false);
            folder.CheckSize(size ?? throw new CodeException(
                "neither this node nor the cluster's engine has the code: 'app replace --pack --force' sends it"));
            using FileStream part = folder.OpenPart(name);
            await engine.GetAsync(name, part).ConfigureAwait(false);
            folder.Finish(name, part);
        }

        return folder.Find(name)!;
    });

    /// <summary>
    /// Puts packs back that the engine has lost, and removes those that no record names any more: here, and in the engine too.
    /// </summary>
    /// <param name="named">The packs that records name.</param>
    /// <param name="tidiesEngine">Whether this node removes packs from the engine now.</param>
    /// <exception cref="EngineException">The engine does not answer.</exception>
    public Task TidyAsync(IReadOnlySet<string> named, bool tidiesEngine) => AloneAsync(async () =>
    {
        foreach (string name in folder.Names())
        {
            if (named.Contains(name))
            {
                Want(name);
                await PutAsync(name).ConfigureAwait(false);
            }
            else if (!_wantedMs.TryGetValue(name, out long wantedMs))
            {
                Want(name); // of an earlier start, whose versions have all ended; a new record may name it meanwhile
            }
            else if (Environment.TickCount64 - wantedMs > KeptHere.TotalMilliseconds)
            {
                _wantedMs.Remove(name);
                folder.Remove(name);
            }
        }

        if (tidiesEngine && _engine is { } engine)
        {
            DateTimeOffset before = DateTimeOffset.UtcNow - KeptInEngine;
            foreach (string name in await engine.OlderThanAsync(before).ConfigureAwait(false))
            {
                if (!named.Contains(name))
                {
                    await engine.RemoveAsync(name).ConfigureAwait(false);
                }
            }
        }

        return true;
    });

    private void Want(string name) => _wantedMs[name] = Environment.TickCount64;

    private async Task PutAsync(string name)
    {
        EngineObjects engine = _engine ?? throw new CodeException("the cluster's engine cannot be reached: nothing was changed");
        if (await engine.SizeOfAsync(name).ConfigureAwait(false) is null)
        {
            using FileStream archive = folder.OpenArchive(name);
            await engine.PutAsync(name, archive).ConfigureAwait(false);
        }
    }

    private async Task<T> AloneAsync<T>(Func<Task<T>> work)
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CodeException($"the folder of the code on this node: {failure.Message}", failure);
        }
        finally
        {
            _gate.Release();
        }
    }
}
