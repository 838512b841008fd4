using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Node.Apps;

/// <summary>A task with its driver.</summary>
/// <param name="Manifest">The task.</param>
/// <param name="Context">The parts that its driver was made of.</param>
/// <param name="Driver">The task's driver.</param>
internal sealed record AppTask(TaskManifest Manifest, DriverContext Context, Driver Driver)
{
    /// <summary>Set while the driver waits for the close of its predecessor. Valid in Serving and Replacing.</summary>
    public LateOpening? Late { get; set; }

    public string Name => Manifest.Name;

    /// <summary>Opens the driver. Returns a failure that a user can solve, or null when the driver is open.</summary>
    public Exception? TryOpen()
    {
        try
        {
            Driver.Open();
            return null;
        }
        catch (Exception failure) when (failure is IOException or FormatException or KeyNotFoundException or InvalidCastException)
        {
            return failure;
        }
    }

    /// <summary>True when the driver was waiting for its predecessor; it will not be opened any more.</summary>
    public bool TryCancelLate()
    {
        if (Late is not { } late)
        {
            return false;
        }

        late.Cancel();
        Late = null;
        return true;
    }

    /// <summary>True when the task is the same in another version: its driver continues without any change.</summary>
    public bool IsSameAs(TaskManifest other) =>
        Manifest.Name == other.Name && Manifest.DriverType == other.DriverType && Manifest.Backlog == other.Backlog
        && Manifest.Endpoints.SequenceEqual(other.Endpoints) && Manifest.Events.SequenceEqual(other.Events)
        && HasKeysOf(Manifest, other) && HasKeysOf(other, Manifest);

    /// <summary>True when both tasks would listen on the same endpoint. Two endpoints with any free port are never the same.</summary>
    public bool SharesEndpointWith(AppTask other) => Manifest.Endpoints.Any(endpoint =>
        !endpoint.EndsWith(":0", StringComparison.Ordinal) && other.Manifest.Endpoints.Contains(endpoint));

    /// <summary>
    /// All keys of one task have the same values in the other, except the job-timeout: a driver that continues gets the new one.
    /// </summary>
    private static bool HasKeysOf(TaskManifest one, TaskManifest other) => one.Keys.All(pair =>
        pair.Key == ManifestKeys.JobTimeout.Name
        || (other.Keys.TryGetValue(pair.Key, out object? value) && IsSameValue(pair.Value, value)));

    private static bool IsSameValue(object one, object two) => (one, two) switch
    {
        (IEnumerable<string> first, IEnumerable<string> second) => first.SequenceEqual(second),
        _ => Equals(one, two),
    };
}
