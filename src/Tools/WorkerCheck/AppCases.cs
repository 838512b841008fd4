using System.Text;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The facts that an app's code gets, and the way of its output.</summary>
internal static class AppCases
{
    private const string Zero = "0000000000000000";

    public static void Headers(Conversation c)
    {
        byte[] headers =
        [
            0x95,
            0x93, 0xc2, 0xa8, .. "trace_id"u8, 0xa8, 1, 2, 3, 4, 5, 6, 7, 8,
            0x93, 0xc2, 0xa7, .. "span_id"u8, 0xa8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
            0x93, 0xc2, 0xa9, .. "parent_id"u8, 0xa8, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
            0x93, 0xc2, 23, 0xa3, .. "key"u8,
            0x93, 0xc2, 0xa6, .. "x-note"u8, 0xa5, .. "hello"u8,
        ];
        ulong channel = c.Open("headers", headers);
        c.Close(channel);
        Lines(c.ReadAll(channel), "trace_id=0102030405060708\nspan_id=1112131415161718\nparent_id=2122232425262728\n"
            + "authorization=6b6579\nx-note=68656c6c6f\n");
        Lines(c.Call("headers"), $"trace_id={Zero}\nspan_id={Zero}\nparent_id={Zero}\n");
        c.Settle();
    }

    public static void WhoAmI(Conversation c)
    {
        string expected = $"{c.App} {c.Uuid} whoami {WorkerStart.Version}";
        string text = Encoding.UTF8.GetString(c.Call("whoami"));
        if (text != expected)
        {
            throw new CheckFailure($"whoami answered \"{RequestCases.Short(text)}\", not \"{expected}\"");
        }
    }

    public static void Output(Conversation c)
    {
        const string Line = "a line of output, grün, with [1, 0, []] in it";
        string answer = Encoding.UTF8.GetString(c.Call("prints", Encoding.UTF8.GetBytes(Line)));
        if (answer != "printed")
        {
            throw new CheckFailure($"prints answered \"{RequestCases.Short(answer)}\", not \"printed\"");
        }

        c.Until(
            () => c.Process.StandardOutput.Contains(Line + "\n", StringComparison.Ordinal), "the line did not come on stdout", 1, false);
        c.Until(
            () => c.Process.StandardError.Contains(Line + "\n", StringComparison.Ordinal), "the line did not come on stderr", 1, false);
        c.Settle();
    }

    private static void Lines(byte[] answer, string expected)
    {
        string text = Encoding.UTF8.GetString(answer);
        if (text != expected)
        {
            throw new CheckFailure($"headers answered \"{text.Replace("\n", "\\n", StringComparison.Ordinal)}\", "
                + $"not \"{expected.Replace("\n", "\\n", StringComparison.Ordinal)}\"");
        }
    }
}
