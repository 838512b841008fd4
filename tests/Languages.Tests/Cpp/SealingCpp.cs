using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Languages.Tests.Cpp;

/// <summary>Programs with the C++ headers of sealed calls, which need OpenSSL.</summary>
internal static class SealingCpp
{
    private const string Header = "/usr/include/openssl/evp.h";

    /// <summary>Null when programs can be built; else why the test is skipped.</summary>
    public static string? Missing => CppBuild.Missing
        ?? (File.Exists(Header) ? null : "OpenSSL's headers are not on this machine: as root, apt-get install libssl-dev");

    public static void Compile(string source, string output) => CppBuild.Run(
        "g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-I" + Path.Combine(Repository.Root, "workers/cpp/include"), source, "-o", output,
        "-lcrypto");

    /// <summary>The keys and records of seal.json as the program sealing reads them.</summary>
    public static void WriteVectors(TestFolder folder)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "tests/Core.Tests/Vectors/seal.json")));
        JsonElement all = file.RootElement;
        string Of(string name) => all.GetProperty(name).GetString()!;
        using RSA node = RSA.Create(), weak = RSA.Create(1024);
        node.ImportFromPem(Of("node"));
        folder.Write("own.pem", Of("sender"));
        folder.Write("node.pem", Of("node"));
        folder.Write("node.pub", node.ExportSubjectPublicKeyInfoPem());
        folder.Write("weak.pem", weak.ExportPkcs8PrivateKeyPem());
        string opening = all.GetProperty("openings")[0].GetProperty("opening").GetString()!;
        StringBuilder text = new($"{Of("app")} {Of("event")} {Of("node-thumbprint")} {opening} {Of("key")}\n");
        foreach (JsonElement record in all.GetProperty("records").EnumerateArray())
        {
            foreach (string name in (string[])["direction", "counter", "job", "chunk", "kind", "request_timeout", "silence_timeout",
                "retry_limit", "urgent", "text", "record"])
            {
                string value = record.GetProperty(name).ToString();
                text.Append(CultureInfo.InvariantCulture, $"{(value.Length > 0 ? value : "-")} ");
            }

            text.Append('\n');
        }

        folder.Write("vectors.txt", text.ToString());
    }
}

/// <summary>A test that needs a C++ compiler and OpenSSL's headers; without them it is reported as skipped, with the reason.</summary>
internal sealed class SealingCppFactAttribute : FactAttribute
{
    public SealingCppFactAttribute() => Skip = SealingCpp.Missing;
}
