namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// The parts of an app's settings that its shards have: each bound of the manifest is the sum of the bounds of the shards.
/// </summary>
internal static class EngineShares
{
    extension(EngineSettings app)
    {
        /// <summary>
        /// Shards of the app: its loops, but no more than there are slaves, or places in the queue, because each shard needs one of both.
        /// </summary>
        public int Shards => Math.Min(app.Loops, Math.Min(app.PoolLimit, app.QueueLimit > 0 ? app.QueueLimit : int.MaxValue));

        /// <summary>The settings of one shard.</summary>
        /// <param name="shard">The shard, from 0.</param>
        /// <param name="shards">All shards of the app.</param>
        public EngineSettings ShareOf(int shard, int shards) => shards == 1 ? app : app with
        {
            PoolLimit = (int)Share(app.PoolLimit, shard, shards),
            PoolMinimum = (int)Share(app.PoolMinimum, shard, shards),
            QueueLimit = (int)Share(app.QueueLimit, shard, shards),
            QueueBytes = app.QueueBytes == 0 ? 0 : Math.Max(1, Share(app.QueueBytes, shard, shards)), // 0 is no bound
        };
    }

    /// <summary>One share of a whole. The shares differ by one at most, and the first ones are the larger ones.</summary>
    public static long Share(long whole, int shard, int shards) => (whole / shards) + (shard < whole % shards ? 1 : 0);
}
