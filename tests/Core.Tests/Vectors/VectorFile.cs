using System.Text.Json;

namespace Cocaine.Fast.Core.Tests.Vectors;

internal static class VectorFile
{
    public static JsonElement Read(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", name))).RootElement;

    public static byte[] Hex(string text) => Convert.FromHexString(text.Replace("-", "", StringComparison.Ordinal));
}
