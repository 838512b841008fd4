using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Bench.Load;

/// <summary>Seals the requests of a load: all connections share one session. On the load's loop.</summary>
internal sealed class BurstSeal(ClientSeal keys, int sizeBytes)
{
    /// <summary>Bytes of an answer's two records beside the answer itself: the record of its chunk, and the one that ends it.</summary>
    public const int AnswerOverheadBytes = 2 * SealSession.OverheadBytes;

    private readonly ClientSealer _sealer = ClientSealer.Load(keys);
    private readonly SealedCall _call = new();
    private readonly byte[] _record = new byte[sizeBytes + SealSession.OverheadBytes];

    /// <summary>Writes a whole request. The first one opens the session, and has to be answered before the next.</summary>
    public void Write(MessageSink output, ulong channel, byte[] name, ReadOnlySpan<byte> request)
    {
        ReadOnlySpan<byte> seal = _sealer.Begin(_call, name, default, out _);
        Span<byte> headers = _sealer.Headers;
        int length = default(CallOptions).Encode(headers, offersFlow: false, seal);
        MessageWriter.WriteInvoke(output, channel, name, headers[..length]);
        if (!_call.Seal(RecordKind.Last, new Payload(request), _record))
        {
            throw new InvalidOperationException("the session has had its last record");
        }

        MessageWriter.WriteChunk(output, channel, new Payload(_record), bin: true);
        MessageWriter.WriteClose(output, channel);
    }
}
