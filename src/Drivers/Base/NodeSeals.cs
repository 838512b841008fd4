using Cocaine.Fast.Core.Sealing;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>The node's sealed jobs, for drivers: nothing when the config of the node has no keys.</summary>
internal sealed class NodeSeals : IDisposable
{
    private SealWorker? _worker; // null without keys; set before the first app is made

    /// <summary>A node without keys.</summary>
    public static NodeSeals None { get; } = new();

    /// <summary>Opens sessions. Valid for tasks that take sealed jobs, after <see cref="Check"/>.</summary>
    public SealWorker Worker => _worker ?? throw new InvalidOperationException("the node has no keys");

    /// <summary>Sessions and keys; null without keys.</summary>
    public SealGate? Gate => _worker?.Gate;

    /// <summary>Reads the keys.</summary>
    /// <param name="folder">The folder of keys.</param>
    /// <param name="used">The file that remembers used openings over a restart; null = nothing does.</param>
    /// <param name="log">Hears of changed keys and of refused openings.</param>
    /// <param name="clock">The time of day.</param>
    /// <exception cref="IOException">A key is not as it should be, or the file cannot be used; the text has each mistake.</exception>
    public void Start(string folder, string? used, ILogger log, TimeProvider clock) =>
        _worker = SealWorker.Start(folder, used, log, clock);

    /// <summary>Looks soon whether the keys have changed; the node also looks by itself each 10 s.</summary>
    public void LookAtKeys() => _worker?.LookAtKeys();

    /// <summary>Checks that the node can do what the task wants.</summary>
    /// <exception cref="IOException">The node has no keys.</exception>
    public void Check(SealMode mode)
    {
        if (mode != SealMode.No && _worker is null)
        {
            throw new IOException($"'{SealModes.Key.Name}' needs the keys of those who may call: set security.keys in the node's config");
        }
    }

    public void Dispose() => _worker?.Dispose();
}
