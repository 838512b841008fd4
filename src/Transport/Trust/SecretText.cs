using System.Text;
using Cocaine.Fast.Transport.Linux;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Transport.Trust;

/// <summary>Reads a secret that is text, such as a password, from a file of its own.</summary>
internal static class SecretText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text of a file, without the line feed at its end.</summary>
    /// <param name="path">The file; a link to it is followed.</param>
    /// <param name="mostBytes">The longest file that is read.</param>
    /// <param name="isCredential">
    /// The file is in the folder that systemd made for this unit. systemd keeps other users out of the folder, and gives the unit's user
    /// its right by an access list, which shows as a right of the group.
    /// </param>
    /// <exception cref="IOException">
    /// The file is missing, can be read by others, is too long, or is no text. The message names the file and the remedy.
    /// </exception>
    public static string Read(string path, int mostBytes, bool isCredential)
    {
        if (!FileStatus.TryRead(path, out FileStatus status) || !status.IsPlain)
        {
            throw new IOException($"{path}: there is no such file"); // a pipe would be waited for
        }

        try
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            _ = FileStatus.TryRead((int)file.DangerousGetHandle(), out status); // the name may lead to another file by now
            string? problem = isCredential ? SecretFile.ProblemOfPublic(in status) : SecretFile.Problem(in status);
            if (problem is not null)
            {
                throw new IOException($"{path}: {problem}");
            }

            byte[] bytes = new byte[mostBytes + 1];
            int length = 0;
            for (int read = 1; read > 0 && length < bytes.Length; length += read)
            {
                read = RandomAccess.Read(file, bytes.AsSpan(length), length);
            }

            return length <= mostBytes ? TextOf(path, bytes.AsSpan(0, length))
                : throw new IOException($"{path}: longer than {mostBytes} bytes");
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"{path}: {failure.Message}", failure);
        }
    }

    private static string TextOf(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            string text = Strict.GetString(bytes.EndsWith("\n"u8) ? bytes[..^1] : bytes);
            return text.Contains('\0') ? throw new IOException($"{path}: has a zero byte, which no variable can have") : text;
        }
        catch (ArgumentException failure)
        {
            throw new IOException($"{path}: is no UTF-8 text", failure);
        }
    }
}
