using System.Buffers.Binary;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>The wishes of a call that a relay must not change. A value over its bound counts as the bound.</summary>
internal readonly record struct SealPolicy
{
    /// <summary>Bytes of <see cref="Write"/>.</summary>
    public const int SizeBytes = 8 + 8 + 4 + 1;

    /// <param name="requestTimeoutMs">The header <c>request_timeout</c>; null without it.</param>
    /// <param name="silenceTimeoutMs">The header <c>silence_timeout</c>; null without it.</param>
    /// <param name="retryLimit">The header <c>retry_limit</c>; null without it.</param>
    /// <param name="urgent">The header <c>urgent</c> is 1.</param>
    public SealPolicy(long? requestTimeoutMs, long? silenceTimeoutMs, int? retryLimit, bool urgent)
    {
        RequestTimeoutMs = requestTimeoutMs is { } whole ? Math.Min(whole, SealLimits.MaxTimeMs) : null;
        SilenceTimeoutMs = silenceTimeoutMs is { } silence ? Math.Min(silence, SealLimits.MaxTimeMs) : null;
        RetryLimit = retryLimit is { } limit ? Math.Min(limit, SealLimits.MaxRetries) : null;
        Urgent = urgent;
    }

    public long? RequestTimeoutMs { get; }

    public long? SilenceTimeoutMs { get; }

    public int? RetryLimit { get; }

    public bool Urgent { get; }

    /// <summary>Writes the values for the tag of a record: big-endian, all ones for a value that is not there.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, RequestTimeoutMs ?? -1);
        BinaryPrimitives.WriteInt64BigEndian(to[8..], SilenceTimeoutMs ?? -1);
        BinaryPrimitives.WriteInt32BigEndian(to[16..], RetryLimit ?? -1);
        to[20] = Urgent ? (byte)1 : (byte)0;
    }
}
