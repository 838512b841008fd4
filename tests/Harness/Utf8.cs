using System.Text;

namespace Cocaine.Fast.Harness;

/// <summary>Texts as requests have them.</summary>
internal static class Utf8
{
    public static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    public static string TextOf(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
