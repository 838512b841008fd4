using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The facts of all apps of the cluster: a manifest is read once for each text. From any thread.</summary>
internal sealed class FactsOfApps
{
    private readonly Lock _lock = new(); // guards the field below
    private readonly Dictionary<(string App, long Made), (string Manifest, AppFacts Facts)> _known = [];

    /// <summary>The facts of a record's manifest.</summary>
    /// <param name="record">The record.</param>
    public AppFacts Of(AppRecord record)
    {
        lock (_lock)
        {
            (string App, long Made) key = (record.App, record.Made);
            if (!_known.TryGetValue(key, out (string Manifest, AppFacts Facts) known) || known.Manifest != record.Manifest)
            {
                _known[key] = known = (record.Manifest, AppFacts.Of(record));
            }

            return known.Facts;
        }
    }

    /// <summary>Forgets manifests that no record has any more.</summary>
    /// <param name="live">All records.</param>
    public void Keep(IEnumerable<AppRecord> live)
    {
        HashSet<(string App, long Made)> wanted = [];
        foreach (AppRecord record in live)
        {
            wanted.Add((record.App, record.Made));
            wanted.Add((record.App, record.Previous?.Made ?? record.Made));
        }

        lock (_lock)
        {
            foreach ((string App, long Made) gone in _known.Keys.Where(key => !wanted.Contains(key)).ToArray())
            {
                _known.Remove(gone);
            }
        }
    }
}
