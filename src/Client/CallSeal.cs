using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Client;

/// <summary>
/// The seal of one call after the other: writes the records of its request, and opens those of its answer. Lives on the client's loop.
/// </summary>
/// <param name="connection">Carries the calls.</param>
/// <param name="sealer">The sessions of the connection.</param>
internal sealed class CallSeal(ClientConnection connection, ClientSealer sealer)
{
    private readonly SealedCall _call = new();
    private CocaineException? _error; // the error that the answer's last record has
    private bool _opens;              // the call has brought the opening of its session

    /// <summary>Begins a call; the result is the headers of its first message.</summary>
    public ReadOnlySpan<byte> Begin(byte[] name, in CallOptions options, bool offersFlow)
    {
        _error = null;
        ReadOnlySpan<byte> seal = sealer.Begin(_call, name, in options, out _opens);
        Span<byte> headers = sealer.Headers;
        return headers[..options.Encode(headers, offersFlow, seal)];
    }

    /// <summary>Writes a chunk of the request.</summary>
    /// <exception cref="InvalidOperationException">The session has had its last record: no client comes so far in an hour.</exception>
    public void Write(ulong channel, ReadOnlySpan<byte> chunk, bool isLast)
    {
        Span<byte> record = RecordScratch.Out.Take(chunk.Length + SealSession.OverheadBytes);
        if (!_call.Seal(isLast ? RecordKind.Last : RecordKind.More, new Payload(chunk), record))
        {
            sealer.Forget(_call.Session);
            throw new InvalidOperationException("the sealed session has had its last record, or the request has ended");
        }

        MessageWriter.WriteChunk(connection.Output, channel, new Payload(record), bin: true);
    }

    /// <summary>Opens a record of the answer. False when it is no chunk, but the end.</summary>
    /// <exception cref="CocaineException">The record is not what the node has sent for this call.</exception>
    public bool TryRead(in MessageView message, out Payload chunk)
    {
        chunk = default;
        Payload record = message.Layout.Shape == ArgumentShape.Data ? message.Data : default;
        Span<byte> text = RecordScratch.In.Take(record.Length);
        if (_call.Open(in record, text, out OpenedRecord opened) != SealFault.None)
        {
            throw Broken("the answer's seal is broken: somebody on the way has changed or moved it");
        }

        if (opened.Kind == RecordKind.More)
        {
            chunk = new Payload(text[..opened.Length]);
            return true;
        }

        if (opened.Kind == RecordKind.Error)
        {
            _error = SealedError.TryRead(text[..opened.Length], out int category, out int code, out ReadOnlySpan<byte> reason)
                ? new CocaineException(category, code, Encoding.UTF8.GetString(reason)) : Broken("the answer's error cannot be read");
        }

        return false;
    }

    /// <summary>The answer has ended without an error; the result is the fault, when the end is not the node's.</summary>
    public Exception? OnClosed() => _error is not null ? _error : _call.Got == SealedFlow.Ended ? null
        : Broken("the answer was cut: the record that ends it did not come");

    /// <summary>
    /// The answer has ended with an error; the result is the sealed one, or this one with a note that nobody vouches for it.
    /// </summary>
    public CocaineException OnError(CocaineException error)
    {
        if (_error is not null)
        {
            return new CocaineException(_error.Category, _error.Code, _error.Message)
            {
                JobId = error.JobId,
                RetryAfter = error.RetryAfter,
            };
        }

        if (_opens || error.Code == ErrorCodes.Unauthenticated)
        {
            sealer.Forget(_call.Session);
        }

        return new CocaineException(error.Category, error.Code, $"{error.Message} (this error is not sealed)")
        {
            JobId = error.JobId,
            RetryAfter = error.RetryAfter,
        };
    }

    private static CocaineException Broken(string text) => new(ErrorCodes.FrameworkCategory, ErrorCodes.Unauthenticated, text);
}
