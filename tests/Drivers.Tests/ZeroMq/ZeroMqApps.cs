using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Manifests of these tests, as a user would write them.</summary>
internal static class ZeroMqApps
{
    /// <summary>An app of tests/apps/fields.py; <paramref name="tasks"/> and <paramref name="pubsub"/> are JSON.</summary>
    public static AppManifest Fields(string tasks, string engine = """{"queue-limit":10000,"pool-limit":1,"concurrency":16}""",
        bool pubsub = false, string env = "{}", string name = "fields")
    {
        string source = Path.Combine(Repository.Root, "tests/apps/fields.py");
        string json = $$"""
            { "name": "{{name}}", "type": "python", "args": { "source": "local://{{source}}", "env": {{env}} },
              "engine": {{engine}}, {{(pubsub ? """ "pubsub": { "endpoint": "tcp://lo:0" }, """ : "")}}
              "tasks": {{tasks}} }
            """;
        ManifestResult result = ManifestReader.Read(Encoding.UTF8.GetBytes(json), "test.json");
        return result.Manifest ?? throw new FormatException(string.Join('\n', result.Problems));
    }

    /// <summary>A number of the app's info, by its path.</summary>
    public static async Task<long> NumberAsync(this RunningApp app, params string[] path)
    {
        JsonElement at = JsonSerializer.Deserialize<JsonElement>(await app.InfoJsonAsync());
        foreach (string name in path)
        {
            at = at.GetProperty(name);
        }

        return at.GetInt64();
    }

    /// <summary>Waits until a number of the app's info is so high; each look is answered by the loop, so this does not spin.</summary>
    public static async Task UntilAsync(this RunningApp app, long atLeast, params string[] path)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (await app.NumberAsync(path) < atLeast)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    public static string EndpointOf(this RunningApp app, string task) => app.Endpoints.First(at => at.Task == task).Endpoint;

    /// <summary>A request in the framing of 2012, its strings in the old family.</summary>
    public static byte[][] Group(string uuid, string body, double timeout = 0, double deadline = 0, bool urgent = false) =>
        [[1], Head(uuid, false), Policy(urgent, timeout, deadline), Encoding.UTF8.GetBytes(body)];

    public static byte[] Head(string uuid, bool isLast) => [0x93, 1, .. OldString(uuid), isLast ? (byte)0xc3 : (byte)0xc2];

    public static byte[] OldString(string text) => text.Length < 32
        ? [(byte)(0xa0 | text.Length), .. Encoding.UTF8.GetBytes(text)]
        : [0xda, (byte)(text.Length >> 8), (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Policy(bool urgent, double timeout, double deadline)
    {
        byte[] policy = new byte[20];
        policy[0] = 0x93;
        policy[1] = urgent ? (byte)0xc3 : (byte)0xc2;
        policy[2] = policy[11] = 0xcb;
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleBigEndian(policy.AsSpan(3), timeout);
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleBigEndian(policy.AsSpan(12), deadline);
        return policy;
    }
}
