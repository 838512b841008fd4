using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// A job's answer. Valid while its handler runs; used from the slave's thread. It is closed when the handler returns, if not before.
/// </summary>
public sealed class Response
{
    private readonly Serving.WorkerSession _session;

    internal Response(Serving.WorkerSession session) => _session = session;

    internal ulong Channel { get; set; }

    /// <summary>The answer is whole, or failed: nothing more is taken.</summary>
    public bool IsEnded { get; internal set; }

    /// <summary>Sends a chunk. It leaves when control returns to the slave's loop, or at once when much waits.</summary>
    /// <exception cref="InvalidOperationException">The answer has ended.</exception>
    public void Write(ReadOnlySpan<byte> chunk)
    {
        ThrowIfEnded();
        _session.WriteChunk(Channel, chunk);
    }

    /// <summary>Sends a chunk, and waits while the node takes them slower than they come.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> chunk)
    {
        Write(chunk.Span);
        return _session.HasRoom ? default : new ValueTask(_session.WaitForRoomAsync());
    }

    /// <summary>Ends the answer with an error of the app's own.</summary>
    /// <param name="code">Any number; the category says that it is the app's.</param>
    /// <param name="text">For people.</param>
    public void Error(int code, string text)
    {
        ThrowIfEnded();
        IsEnded = true;
        _session.WriteError(Channel, AppCategory, code, text);
    }

    /// <summary>Ends the answer.</summary>
    public void Close()
    {
        if (!IsEnded)
        {
            IsEnded = true;
            _session.WriteClose(Channel);
        }
    }

    /// <summary>Category of errors that an app gives itself.</summary>
    private const int AppCategory = ErrorCodes.FrameworkCategory;

    private void ThrowIfEnded()
    {
        if (IsEnded)
        {
            throw new InvalidOperationException("the answer has ended");
        }
    }
}
