using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Node.Tests.Daemon;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests.Fuzz;

/// <summary>
/// Conversations with each door of a live node, broken in every way that a seed finds. The node serves a good client meanwhile, keeps
/// nothing, and logs no fault.
/// </summary>
[Collection(nameof(Alone))]
public sealed class DoorFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["echo", "none", "é", new('n', 256), ""];

    private readonly OddMessages _odd = new(new Random(FuzzedNode.Seed));

    [Fact]
    public async Task A_native_server()
    {
        await using FuzzedNode node = await FuzzedNode.StartAsync();
        string path = Path.Combine(node.Folder, "native.sock");
        await RunAsync(node, 550_000, () => SendConversation(path, Call));
    }

    [Theory]
    [InlineData("line")]
    [InlineData("length32")]
    [InlineData("stream")]
    [InlineData("none")]
    public async Task A_raw_server(string framing)
    {
        await using FuzzedNode node = await FuzzedNode.StartAsync();
        string path = Path.Combine(node.Folder, framing + ".sock");
        await RunAsync(node, 40_000, () =>
        {
            int frames = _odd.Random.Next(1, 60);
            List<byte> bytes = [];
            for (int frame = 0; frame < frames; frame++)
            {
                byte[] content = _odd.Bytes(_odd.Random.Next(_odd.Random.Next(20) == 0 ? 400 : 40));
                bytes.AddRange(framing == "length32" ? [0, 0, (byte)(content.Length >> 8), (byte)content.Length, .. content] : [.. content, (byte)'\n']);
            }

            FuzzedNode.Send(path, _odd.Random.Next(2) == 0 ? [.. bytes] : _odd.Broken(bytes.ToArray()), waits: _odd.Random.Next(2) == 0);
            return frames;
        });
    }

    [Fact]
    public async Task The_locator()
    {
        await using FuzzedNode node = await FuzzedNode.StartAsync();
        string path = Path.Combine(node.Folder, "locator.sock");
        await RunAsync(node, 100_000, () => SendConversation(path, Question, types: 8));
    }

    [Fact]
    public async Task The_control_socket()
    {
        await using FuzzedNode node = await FuzzedNode.StartAsync();
        string path = Path.Combine(node.Folder, "control.sock");
        await RunAsync(node, 60_000, () => SendConversation(path, Request));
    }

    [Fact]
    public async Task The_json_control_of_2012()
    {
        using TestFolder folder = new();
        await using TestDaemon daemon = await TestDaemon.StartAsync(folder);
        JsonControl control = await JsonControl.OpenAsync(daemon.Daemon, "tcp://127.0.0.1:0", NullLogger.Instance);
        byte[] version = "{\"version\":2"u8.ToArray();
        int answered = 0;
        await using FuzzedNode node = await FuzzedNode.StartAsync();
        await RunAsync(node, 60_000, () =>
        {
            byte[] request = Encoding.UTF8.GetBytes(_odd.Any(OldRequests));
            byte[] answer = control.AnswerAsync(_odd.Random.Next(8) == 0 ? request : BrokenText(request), []).GetAwaiter().GetResult();
            Assert.True(answer[0] == (byte)'{' && answer[^1] == (byte)'\n', Encoding.UTF8.GetString(answer));
            answered += answer.AsSpan().IndexOf("unsupported protocol version"u8) < 0 && answer.AsSpan().IndexOf("not JSON"u8) < 0 ? 1 : 0;
            return 1;
        });
        control.Close();
        Assert.InRange(answered, 10_000, 60_000); // so many had a meaning
        Assert.DoesNotContain("Please report", daemon.Log);
        Assert.Empty(daemon.Running);
    }

    private static readonly string[] OldRequests =
    [
        """{"version":2,"action":"info"}""",
        """{"version":2,"action":"delete","apps":["none","a"]}""",
        """{"version":2,"action":"reload","apps":["none",5,null,""]}""",
        """{"version":2,"action":"create","apps":{"none":{"type":"python","args":"/nowhere/app.py","tasks":{}}}}""",
        """{"version":2,"action":"create","apps":{"A b":{"name":"c"},"n":[[[[1e999]]]],"\ud800":{}}}""",
        """{"version":3,"username":"u","action":"info"}""",
    ];

    private static readonly (string Method, string Request)[] Requests =
    [
        ("info", "{}"), ("info", """{"app":"none","protocol":2}"""), ("list", "{}"), ("version", "{}"), ("restart", """{"app":"none"}"""),
        ("delete", """{"app":"none","drain-timeout":1e300}"""), ("pause", """{"app":"none"}"""), ("resume", """{"app":"\ud800"}"""),
        ("scale", """{"app":"none","minimum":-1,"limit":2147483648}"""), ("logs", """{"app":"none","follow":true}"""),
        ("quarantine", """{"action":"list","app":"none","id":"x"}"""), ("events", """{"app":"none","follow":false}"""),
        ("create", """{"manifest":"{\"type\":\"python\",\"args\":\"/nowhere/app.py\",\"tasks\":{}}","path":"/nowhere/none.json"}"""),
        ("replace", """{"manifest":"[[[[[[","path":"","force":true,"wait":true}"""),
    ];

    private async Task RunAsync(FuzzedNode node, int inputs, Func<int> batch)
    {
        output.WriteLine($"COCAINE_FUZZ_SEED={FuzzedNode.Seed}");
        long started = Environment.TickCount64;
        await node.RunAsync(inputs, batch);
        output.WriteLine($"{inputs} inputs in {Environment.TickCount64 - started} ms");
    }

    /// <summary>Good messages, then odd ones, and sometimes a broken one, which usually ends the conversation.</summary>
    private int SendConversation(string path, Action<MessageSink, ulong> good, int types = 3)
    {
        MemorySink sink = new(16 << 10);
        List<byte> bytes = [];
        ulong channel = 1;
        for (int rounds = _odd.Random.Next(2, 30); rounds > 0; rounds--)
        {
            if (_odd.Random.Next(3) > 0)
            {
                sink.Clear();
                good(sink, channel);
                bytes.AddRange(sink.Written);
            }
            else
            {
                bytes.AddRange(_odd.Message(channel, types));
            }

            channel += _odd.Random.Next(10) == 0 ? 0UL : 1;
        }

        if (_odd.Random.Next(2) == 0)
        {
            sink.Clear();
            good(sink, channel);
            bytes.AddRange(_odd.Broken(sink.Written));
        }

        byte[] sent = [.. bytes];
        FuzzedNode.Send(path, sent, waits: _odd.Random.Next(2) == 0);
        return OddMessages.Count(sent);
    }

    private void Call(MessageSink to, ulong channel)
    {
        MessageWriter.WriteEnqueue(to, channel, Encoding.UTF8.GetBytes(_odd.Any(Names)), default, bin: _odd.Random.Next(2) == 0);
        MessageWriter.WriteChunk(to, channel, new Payload(_odd.Bytes(_odd.Random.Next(100))), bin: true);
        MessageWriter.WriteClose(to, channel);
    }

    private void Question(MessageSink to, ulong channel)
    {
        MessageWriter.WriteEnqueue(to, channel, Encoding.UTF8.GetBytes(_odd.Any((string[])["dotnet-echo", "dotnet-echo/event", "a/b/c", .. Names])), default, bin: false);
        MessageWriter.WriteEmpty(to, channel + 1, 3); // cluster
        MessageWriter.WriteEmpty(to, channel + 2, 6); // uuid
    }

    private void Request(MessageSink to, ulong channel)
    {
        (string method, string request) = _odd.Any(Requests);
        MessageWriter.WriteEnqueue(to, channel, Encoding.UTF8.GetBytes(method), default, bin: false);
        byte[] json = Encoding.UTF8.GetBytes(request);
        MessageWriter.WriteChunk(to, channel, new Payload(_odd.Random.Next(3) == 0 ? json : BrokenText(json)), bin: true);
        MessageWriter.WriteClose(to, channel);
    }

    /// <summary>JSON with a few characters of its own kind in wrong places.</summary>
    private byte[] BrokenText(byte[] good)
    {
        byte[][] parts = [[.. "{"u8], [.. "}"u8], [.. "["u8], [.. "\""u8], [.. ","u8], [.. "null"u8], [.. "-0"u8], [.. "1e400"u8], [.. "\\u0000"u8], [0xff], [0]];
        List<byte> bytes = [.. good];
        for (int changes = _odd.Random.Next(1, 3); changes > 0; changes--)
        {
            int at = _odd.Random.Next(bytes.Count);
            if (_odd.Random.Next(2) == 0)
            {
                bytes.RemoveRange(at, Math.Min(bytes.Count - at - 1, _odd.Random.Next(4)));
            }

            bytes.InsertRange(at, _odd.Any(parts));
        }

        return [.. bytes];
    }
}
