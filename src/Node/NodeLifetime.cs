using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node;

/// <summary>The lifetime of a node: nobody may wait for work of its loops once they have ended.</summary>
internal sealed class NodeLifetime
{
    private readonly TaskCompletionSource _ended = new();

    /// <summary>Completes when the loops have ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The loops have ended.</summary>
    public void End() => NodeThreads.Complete(_ended);

    /// <summary>Waits for work of an app's loop, but not for a loop that has ended.</summary>
    /// <exception cref="NodeException">The node ended first (503).</exception>
    public async Task<T> UntilEndAsync<T>(Task<T> task)
    {
        await UntilEndAsync((Task)task);
        return await task;
    }

    /// <inheritdoc cref="UntilEndAsync{T}"/>
    public async Task UntilEndAsync(Task task)
    {
        if (await Task.WhenAny(task, _ended.Task) != task && !task.IsCompleted)
        {
            throw new NodeException("the node has stopped") { Code = ErrorCodes.ResourceError };
        }

        await task;
    }
}
