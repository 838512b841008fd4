namespace Cocaine.Fast.Worker;

/// <summary>Holds the lock if there is one to hold.</summary>
internal readonly ref struct ReadScope
{
    private readonly Lock? _held;

    public ReadScope(Lock? toHold)
    {
        _held = toHold;
        toHold?.Enter();
    }

    public void Dispose() => _held?.Exit();
}
