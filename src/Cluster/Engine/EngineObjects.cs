using NATS.Client.ObjectStore;
using NATS.Client.ObjectStore.Models;

namespace Cocaine.Fast.Cluster.Engine;

/// <summary>
/// The large values of the engine: byte strings without revisions, which are sent in pieces. Used for code, which is named by its content,
/// so nothing here is ever changed. A call takes as long as its bytes do; each piece has an answer of its own within
/// <see cref="EngineBounds.Request"/>.
/// </summary>
/// <param name="store">The store of the session.</param>
/// <param name="end">The session's end.</param>
internal sealed class EngineObjects(INatsObjStore store, CancellationToken end)
{
    /// <summary>The size of an object in bytes; null when the engine does not have it.</summary>
    /// <param name="name">The object.</param>
    /// <exception cref="EngineException">The engine did not answer.</exception>
    public async Task<long?> SizeOfAsync(string name)
    {
        try
        {
            return (long)Math.Min((await store.GetInfoAsync(name, cancellationToken: end).ConfigureAwait(false)).Size, long.MaxValue);
        }
        catch (NatsObjNotFoundException)
        {
            return null;
        }
        catch (Exception cause)
        {
            throw Failed("did not answer", cause);
        }
    }

    /// <summary>Writes an object.</summary>
    /// <param name="name">The object.</param>
    /// <param name="content">The bytes, from the present position on.</param>
    /// <exception cref="EngineException">The engine did not take it.</exception>
    public async Task PutAsync(string name, Stream content)
    {
        try
        {
            await store.PutAsync(name, content, leaveOpen: true, cancellationToken: end).ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            throw Failed("did not take the code", cause);
        }
    }

    /// <summary>Reads an object.</summary>
    /// <param name="name">The object.</param>
    /// <param name="target">Takes the bytes; an exception of it comes through.</param>
    /// <exception cref="EngineException">The engine did not give it as a whole.</exception>
    public async Task GetAsync(string name, Stream target)
    {
        try
        {
            await store.GetAsync(name, target, leaveOpen: true, cancellationToken: end).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is not IOException)
        {
            throw Failed("did not give the code", cause);
        }
    }

    /// <summary>The objects that were written before a time.</summary>
    /// <param name="before">The time, by the engine's clock.</param>
    /// <exception cref="EngineException">The engine did not answer.</exception>
    public async Task<IReadOnlyList<string>> OlderThanAsync(DateTimeOffset before)
    {
        try
        {
            List<string> names = [];
            await foreach (ObjectMetadata one in store.ListAsync(cancellationToken: end).ConfigureAwait(false))
            {
                if (one is { Deleted: false } && one.MTime < before)
                {
                    names.Add(one.Name);
                }
            }

            return names;
        }
        catch (Exception cause)
        {
            throw Failed("did not answer", cause);
        }
    }

    /// <summary>Removes an object.</summary>
    /// <param name="name">The object.</param>
    /// <exception cref="EngineException">The engine did not answer.</exception>
    public async Task RemoveAsync(string name)
    {
        try
        {
            await store.DeleteAsync(name, end).ConfigureAwait(false);
        }
        catch (NatsObjNotFoundException)
        {
            // another node was quicker
        }
        catch (Exception cause)
        {
            throw Failed("did not answer", cause);
        }
    }

    private static EngineException Failed(string words, Exception cause) => new($"the cluster's engine {words}: {cause.Message}", cause);
}
