using System.Text;
using Cocaine.Fast.Transport.Limits;

namespace Cocaine.Fast.Host.Terminal;

/// <summary>
/// Makes the standard streams of this process safe. A stream that was closed before the start is never written to (its number may belong to
/// a file of the runtime by now), and a standard error that takes no bytes does not end the process.
/// </summary>
internal static class StandardStreams
{
    private static bool _hasInput = true, _hasOutput = true, _hasErrors = true;

    /// <summary>Call this before the process writes or opens anything.</summary>
    public static void Prepare()
    {
        _hasInput = DescriptorState.IsInherited(0);
        _hasErrors = DescriptorState.IsInherited(2);
        _hasOutput = DescriptorState.IsInherited(1);
        DescriptorState.FillStandard(); // otherwise a worker's pipe could get such a number, and be taken for its output
        if (!_hasOutput)
        {
            Console.SetOut(new ClosedWriter());
        }

        Console.SetError(new ForgivingWriter(_hasErrors ? Console.Error : TextWriter.Null));
    }

    /// <summary>Standard input as bytes.</summary>
    /// <exception cref="FormatException">Standard input was closed.</exception>
    public static Stream OpenInput() => _hasInput ? Console.OpenStandardInput() : throw new FormatException("standard input is closed");

    /// <summary>Standard output as bytes.</summary>
    /// <exception cref="IOException">Standard output was closed.</exception>
    public static Stream OpenOutput() => _hasOutput ? Console.OpenStandardOutput() : throw ClosedWriter.Failure();

    /// <summary>Standard error as bytes; a null stream when it was closed.</summary>
    public static Stream OpenErrors() => _hasErrors ? Console.OpenStandardError() : Stream.Null;

    /// <summary>Stands for a standard output that was closed: writing to it fails, as with a full disk.</summary>
    private sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public static IOException Failure() => new("standard output is closed");

        public override void Write(char value) => throw Failure();
    }

    /// <summary>
    /// Standard error for this program: text that cannot be written is dropped. Messages have no other place to go, the exit code tells the
    /// rest, and a full disk or a lost terminal must not end the process.
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
