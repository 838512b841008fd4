using System.Buffers;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client;

/// <summary>One call with one request and one answer.</summary>
internal sealed class UnaryCall : CallBase
{
    private readonly Action<UnaryCall> _giveBack;
    private readonly Done _done;
    private ReadOnlyMemory<byte> _request;
    private IBufferWriter<byte> _answer = null!;   // valid until the call is done
    private int _answerBytes;

    /// <param name="connection">Carries the call.</param>
    /// <param name="runInline">The caller continues on the loop.</param>
    /// <param name="giveBack">Called when the call's object may serve another call.</param>
    public UnaryCall(ClientConnection connection, bool runInline, Action<UnaryCall> giveBack)
        : base(connection)
    {
        _giveBack = giveBack;
        _done = new Done(this, runInline);
    }

    public ValueTask<int> Begin(
        byte[] name, ReadOnlyMemory<byte> request, IBufferWriter<byte> answer, in CallOptions options, CancellationToken cancellation)
    {
        _request = request;
        _answer = answer;
        _answerBytes = 0;
        _done.Begin();
        ValueTask<int> task = _done.Task;
        Post(name, in options, cancellation);
        return task;
    }

    protected override void OnData(in Payload data)
    {
        try
        {
            Span<byte> to = _answer.GetSpan(Math.Max(1, data.Length));
            data.CopyTo(to);
            _answer.Advance(data.Length);
            _answerBytes += data.Length;
        }
        catch (Exception failure)
        {
            GiveUp(failure); // the writer is the caller's: its failure is this call's, and no other's
        }
    }

    protected override void WriteRequest() => WriteEnd(_request.Span);

    protected override void OnFinished(Exception? failure) => _done.Complete(_answerBytes, failure);

    private sealed class Done(UnaryCall call, bool runInline) : Signal<int>(runInline)
    {
        protected override void OnIdle()
        {
            call._request = default;
            call._answer = null!;
            call._giveBack(call);
        }
    }
}
