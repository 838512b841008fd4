using System.Text;
using Cocaine.Fast.Transport.Limits;

namespace Cocaine.Fast.Host.Terminal;

/// <summary>
/// The standard streams of this process, made safe: one that was closed by whoever started it is never written to (its number may be a file
/// of the runtime by now), and a standard error that takes nothing ends nothing.
/// </summary>
internal static class StandardStreams
{
    private static bool _hasOutput = true, _hasErrors = true;

    /// <summary>To be called before anything is written or opened.</summary>
    public static void Prepare()
    {
        _hasErrors = DescriptorState.IsInherited(2);
        _hasOutput = DescriptorState.IsInherited(1);
        DescriptorState.FillStandard(); // or a worker's pipe would get such a number, and be taken for its output
        if (!_hasOutput)
        {
            Console.SetOut(new ClosedWriter());
        }

        Console.SetError(new ForgivingWriter(_hasErrors ? Console.Error : TextWriter.Null));
    }

    /// <summary>Standard output as bytes.</summary>
    /// <exception cref="IOException">It was closed.</exception>
    public static Stream OpenOutput() => _hasOutput ? Console.OpenStandardOutput() : throw ClosedWriter.Failure();

    /// <summary>Standard error as bytes; nowhere when it was closed.</summary>
    public static Stream OpenErrors() => _hasErrors ? Console.OpenStandardError() : Stream.Null;

    /// <summary>Stands for a standard output that was closed: what is written to it fails, as with a full disk.</summary>
    private sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public static IOException Failure() => new("standard output is closed");

        public override void Write(char value) => throw Failure();
    }

    /// <summary>
    /// Standard error as it is: what cannot be written is dropped. Messages have no other place to go, the exit code says the rest, and
    /// nothing ends because a disk is full or a terminal is gone.
    /// </summary>
    private sealed class ForgivingWriter(TextWriter inner) : TextWriter
    {
        public override Encoding Encoding => inner.Encoding;

        public override void Write(char value) => Try(value, static (writer, one) => writer.Write(one));

        public override void Write(string? value) => Try(value, static (writer, text) => writer.Write(text));

        public override void WriteLine(string? value) => Try(value, static (writer, text) => writer.WriteLine(text));

        public override void Write(char[] buffer, int index, int count) =>
            Try((buffer, index, count), static (writer, part) => writer.Write(part.buffer, part.index, part.count));

        public override void Flush() => Try(0, static (writer, _) => writer.Flush());

        private void Try<T>(T value, Action<TextWriter, T> write)
        {
            try
            {
                write(inner, value);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                // dropped
            }
        }
    }
}
