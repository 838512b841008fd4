namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// The turn to launch a slave while an app's starts fail: one for all its shards, so an app on many loops tries no more often than an app
/// on one. Any loop may ask. Nobody asks while starts are good, so the lock is met by those alone that have to wait anyway.
/// </summary>
internal sealed class StartTurn
{
    private readonly Lock _lock = new();
    private object? _holder;
    private long _tellings;

    public bool IsOf(object shard)
    {
        lock (_lock)
        {
            return _holder == shard;
        }
    }

    /// <summary>
    /// The shard has the turn from now on, or has it already. A shard that has not heard of all tellings has to wait for them.
    /// </summary>
    public bool TryTake(object shard, long heard)
    {
        lock (_lock)
        {
            _holder ??= heard == _tellings ? shard : null;
            return _holder == shard;
        }
    }

    /// <summary>A shard tells the others how starts go; when it had the turn, that is free.</summary>
    public void Tell(object shard)
    {
        lock (_lock)
        {
            _tellings++;
            _holder = _holder == shard ? null : _holder;
        }
    }
}
