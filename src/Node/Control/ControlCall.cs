using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Doors;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// One call of a control connection: the loop collects its request, and then a method runs on another thread and answers through this
/// object.
/// </summary>
internal sealed class ControlCall(ControlConnection connection, ulong channel, string method)
{
    private readonly MemoryStream _request = new();
    private readonly CancellationTokenSource _gone = new();
    private volatile ActionRights _rights = connection.Gate.Rights; // the loop writes it, any thread reads it

    public ulong Channel => channel;

    public string Method => method;

    /// <summary>The rights of the caller by the rules of now; the loop puts others. Any thread may ask.</summary>
    public ActionRights Rights { get => _rights; set => _rights = value; }

    /// <summary>The request is whole: the method runs. On the loop.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Fires when nobody waits for the answer any more.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>Adds more of the request; false when the request is too long.</summary>
    public bool TryAdd(ReadOnlySpan<byte> chunk)
    {
        if (_request.Length + chunk.Length > ControlMessages.MaxRequestBytes)
        {
            return false;
        }

        _request.Write(chunk);
        return true;
    }

    /// <summary>The whole request; the method runs from now on. On the loop.</summary>
    public ReadOnlyMemory<byte> Begin()
    {
        IsRunning = true;
        return _request.GetBuffer().AsMemory(0, (int)_request.Length);
    }

    /// <summary>Refuses the call when no rule gives it to its caller.</summary>
    /// <exception cref="NodeException">The caller may not do this (401 or 403).</exception>
    public void Require(string? app)
    {
        if (!Rights.MayControl(method, app, out DoorRefusal refusal))
        {
            throw new NodeException(refusal.Text) { Code = refusal.Code };
        }
    }

    /// <summary>Ends an answer that goes on for as long as its caller wants: the rules of now do not give it any more.</summary>
    /// <exception cref="NodeException">The caller may not do this (401 or 403).</exception>
    public void RequireStill(string? app)
    {
        if (app is null ? !Rights.MayUse(method) : !Rights.MayList(method, app))
        {
            Require(app);
        }
    }

    /// <summary>The client gave up or went away.</summary>
    public void Abandon() => NodeThreads.Post(_gone.Cancel);

    /// <summary>A chunk of the answer; waits while the client does not read. From the method's thread.</summary>
    public Task WriteAsync(byte[] chunk) => connection.WriteAsync(this, chunk);

    public void Close() => connection.Loop.Post(() => connection.End(this));

    public void Fail(int code, string reason) => connection.Loop.Post(() => connection.EndWithError(this, code, reason));
}
