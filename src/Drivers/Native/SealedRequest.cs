using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// A sealed request on its channel. The job is made with the first record that opens; until then this has all that the call has said.
/// Reused from request to request.
/// </summary>
internal sealed class SealedRequest
{
    private byte[] _headers = [];
    private int _headersBytes;

    /// <summary>The records of both directions.</summary>
    public SealedCall Call { get; } = new();

    /// <summary>The channel.</summary>
    public ulong Channel { get; private set; }

    /// <summary>The event, as its catalog has it.</summary>
    public byte[] Name { get; private set; } = [];

    /// <summary>The event's place in its catalog; below 0 when it has none.</summary>
    public int Index { get; private set; }

    /// <summary>The catalog of the event's task. Valid between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public EventCatalog Events { get; private set; } = null!;

    /// <summary>The guard of the event's task. Valid between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public TaskGuard Guard { get; private set; } = null!;

    public JobPolicy Policy { get; private set; }

    /// <summary>The job; null before the first record.</summary>
    public Job? Job { get; set; }

    /// <summary>The headers for the worker.</summary>
    public ReadOnlySpan<byte> Headers => _headers.AsSpan(0, _headersBytes);

    /// <summary>A call on a channel.</summary>
    public void Begin(
        ulong channel, byte[] name, int index, EventCatalog events, TaskGuard guard, in JobPolicy policy, ReadOnlySpan<byte> headers)
    {
        (Channel, Name, Index, Events, Guard, Policy, Job) = (channel, name, index, events, guard, policy, null);
        if (_headers.Length < headers.Length)
        {
            _headers = new byte[headers.Length];
        }

        headers.CopyTo(_headers);
        _headersBytes = headers.Length;
    }

    /// <summary>The request is over.</summary>
    public void End()
    {
        Job = null;
        Events = null!;
        Guard = null!;
    }
}
