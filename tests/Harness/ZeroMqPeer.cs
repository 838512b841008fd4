using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cocaine.Fast.Harness;

/// <summary>Sockets of libzmq, in a Python process of their own: tests/peers-zeromq/peer.py.</summary>
internal sealed class ZeroMqPeer : IDisposable
{
    private const int WaitMs = 20_000;
    private readonly Process _process;

    public ZeroMqPeer() => _process = Process.Start(
        new ProcessStartInfo("/usr/bin/python3", [Path.Combine(Repository.Root, "tests/peers-zeromq/peer.py")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    public Task OpenAsync(string socket, string type, string endpoint, string[]? topics = null, int hwm = 1000, string? identity = null,
        params (string Name, int Value)[] options)
    {
        JsonObject command = new() { ["do"] = "open", ["socket"] = socket, ["type"] = type, ["endpoint"] = endpoint, ["hwm"] = hwm };
        command["topics"] = new JsonArray([.. (topics ?? []).Select(topic => (JsonNode)topic)]);
        command["options"] = new JsonObject(options.Select(option => KeyValuePair.Create(option.Name, (JsonNode?)option.Value)));
        if (identity is not null)
        {
            command["identity"] = identity;
        }

        return DoAsync(command);
    }

    /// <summary>Binds a free port and returns it.</summary>
    public async Task<int> BindAsync(string socket, string type) => (await DoAsync(
        new JsonObject { ["do"] = "open", ["socket"] = socket, ["type"] = type, ["bind"] = true })).GetInt32();

    public Task SendAsync(string socket, params byte[][] frames) =>
        DoAsync(new JsonObject { ["do"] = "send", ["socket"] = socket, ["frames"] = Hex(frames) });

    public Task SendTextAsync(string socket, params string[] frames) => SendAsync(socket, [.. frames.Select(Encoding.UTF8.GetBytes)]);

    /// <summary>The next message; null when none comes in time.</summary>
    public async Task<byte[][]?> ReceiveAsync(string socket, int timeoutMs = WaitMs)
    {
        JsonElement frames = await DoAsync(new JsonObject { ["do"] = "receive", ["socket"] = socket, ["timeout"] = timeoutMs });
        return frames.ValueKind == JsonValueKind.Null ? null : [.. frames.EnumerateArray().Select(frame => Convert.FromHexString(frame.GetString()!))];
    }

    public async Task<string[]> ReceiveTextAsync(string socket) =>
        [.. (await ReceiveAsync(socket) ?? throw new TimeoutException("no message came")).Select(Encoding.UTF8.GetString)];

    /// <summary>Sends as many messages as find room; waits so long for it.</summary>
    public async Task<int> FloodAsync(string socket, int count, int timeoutMs, params byte[][] frames) => (await DoAsync(new JsonObject
    {
        ["do"] = "flood",
        ["socket"] = socket,
        ["count"] = count,
        ["timeout"] = timeoutMs,
        ["frames"] = Hex(frames),
    })).GetInt32();

    /// <summary>Takes messages until none comes for a time; how often each last frame (its first 64 bytes) came.</summary>
    public async Task<Dictionary<string, int>> DrainAsync(string socket, int quietMs) =>
        (await DoAsync(new JsonObject { ["do"] = "drain", ["socket"] = socket, ["timeout"] = quietMs })).EnumerateObject()
            .ToDictionary(pair => Encoding.UTF8.GetString(Convert.FromHexString(pair.Name)), pair => pair.Value.GetInt32());

    public Task CloseAsync(string socket) => DoAsync(new JsonObject { ["do"] = "close", ["socket"] = socket });

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static JsonArray Hex(byte[][] frames) => new([.. frames.Select(frame => (JsonNode)Convert.ToHexString(frame))]);

    private async Task<JsonElement> DoAsync(JsonObject command)
    {
        await _process.StandardInput.WriteLineAsync(command.ToJsonString());
        await _process.StandardInput.FlushAsync();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(120));
        string line = await _process.StandardOutput.ReadLineAsync(limit.Token) ?? throw new IOException("the ZeroMQ peer ended");
        return JsonSerializer.Deserialize<JsonElement>(line);
    }
}
