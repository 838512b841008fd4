using System.Text;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Host.Views;

/// <summary>
/// Turns the bytes of an answer into text for a terminal, so that no letter controls the terminal. A letter may begin in one chunk and end
/// in the next.
/// </summary>
internal sealed class TerminalAnswer(TextWriter terminal) : Stream
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private string _held = ""; // a carriage return that may be half of a line's end, or half of a letter outside of the first plane

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Show(buffer.AsSpan(offset, count), isLast: false);

    public override void Write(ReadOnlySpan<byte> buffer) => Show(buffer, isLast: false);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Show(buffer.Span, isLast: false);
        return ValueTask.CompletedTask;
    }

    public override void Flush() => terminal.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Show([], isLast: true);
            terminal.Flush();
        }

        base.Dispose(disposing);
    }

    private void Show(ReadOnlySpan<byte> bytes, bool isLast)
    {
        char[] letters = new char[_decoder.GetCharCount(bytes, isLast)];
        int count = _decoder.GetChars(bytes, letters, isLast);
        string text = _held + new string(letters, 0, count);
        bool isHalf = !isLast && text.Length > 0 && (text[^1] == '\r' || char.IsHighSurrogate(text[^1]));
        _held = isHalf ? text[^1..] : "";
        terminal.Write(PlainText.Lines(isHalf ? text[..^1] : text));
    }
}
