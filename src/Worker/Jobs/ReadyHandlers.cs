namespace Cocaine.Fast.Worker;

/// <summary>Something for which a handler waits, and which may have happened.</summary>
internal interface IHandlerWait
{
    /// <summary>Lets the handler continue when it may. On the loop, and between messages: the handler may wait again within it.</summary>
    void Continue();
}

/// <summary>
/// Handlers that may go on. The loop runs them between its batches of messages and not in the middle of one, because a handler may wait
/// within a synchronous call: then another thread takes the next messages. Only for the loop.
/// </summary>
internal sealed class ReadyHandlers
{
    private readonly Queue<IHandlerWait> _waits = new();

    public bool Any => _waits.Count > 0;

    public void Add(IHandlerWait wait) => _waits.Enqueue(wait);

    /// <summary>Lets the first one continue; false when there is none.</summary>
    public bool ContinueOne()
    {
        if (!_waits.TryDequeue(out IHandlerWait? wait))
        {
            return false;
        }

        wait.Continue();
        return true;
    }
}
