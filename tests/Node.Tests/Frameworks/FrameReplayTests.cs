using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Frameworks;

/// <summary>Every recorded message of the public frameworks, replayed against a running node, as client and as worker.</summary>
public class FrameReplayTests
{
    private static readonly string Vectors = Path.Combine(Repository.Root, "tests/Core.Tests/Vectors/frames.json");

    [Theory]
    [InlineData("python-client")]
    [InlineData("go-client")]
    [InlineData("cpp-client")]
    public async Task Messages_of_a_client_get_the_answers_that_the_protocol_asks_for(string framework)
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        RunningApp app = await node.AddAsync(OldestFrameworkTests.Manifest() with { Name = "echo" });
        int replayed = 0;
        foreach ((string what, byte[] bytes) in Frames(framework))
        {
            bool locator = what.StartsWith("locator", StringComparison.Ordinal);
            using OldestClient client = new(locator ? node.Node.LocatorEndpoints[0] : app.Endpoints[0].Endpoint);
            MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
            string data = layout.Shape == ArgumentShape.Data ? Encoding.UTF8.GetString(bytes, layout.DataOffset, layout.DataLength) : "";
            string[] words = what.Split(' ');
            string kind = words[0] == "request" ? words[1] : words[0];
            string expected = await ReplayAsync(client, kind, bytes, layout.Channel, data);
            Assert.True(expected.Length == 0, $"{framework}, {what}: {expected}");
            replayed++;
        }

        Assert.True(replayed > 0);
    }

    [Theory]
    [InlineData("python-worker", 16)]
    [InlineData("go-worker", 16)]
    [InlineData("cpp-worker", 3)]
    public async Task Messages_of_a_worker_reach_the_caller_unchanged(string framework, int calls)
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(OldestFrameworkTests.Manifest($"{Vectors}:{framework}"));
        using OldestClient client = new(app.Endpoints[0].Endpoint);
        Dictionary<ulong, string> recorded = Recorded(framework);
        for (int i = 0; i < calls; i++)
        {
            ulong workerChannel = (ulong)i + 2; // the node opens channels to a worker from 2 on
            string expected = recorded.GetValueOrDefault(workerChannel, "plain close");
            Assert.Equal($"{workerChannel}: {expected}", $"{workerChannel}: {await client.CallAsync("echo", "plain"u8.ToArray())}");
            recorded.Remove(workerChannel);
        }

        Assert.Empty(recorded);
        await node.DisposeAsync();
        bool confirms = Frames(framework).Any(frame => frame.What.StartsWith("terminate", StringComparison.Ordinal));
        Assert.Contains(confirms ? "exit code 0" : "termination-timeout", node.Log);
    }

    /// <summary>Sends a frame where it belongs, with what must come before it. Returns what is wrong with the answer.</summary>
    private static async Task<string> ReplayAsync(OldestClient client, string kind, byte[] frame, ulong channel, string data)
    {
        FillTable(client);
        switch (kind)
        {
            case "locator":
                client.SendBytes(frame);
                Answer resolved = await client.NextAsync();
                return data == "echo" ? Differs("0", $"{resolved.Type}") : Differs($"{channel} error 10 1", $"{resolved}"[..$"{channel} error 10 1".Length]);
            case "info":
                client.SendBytes(frame);
                return Differs("0", $"{(await client.NextAsync()).Type}");
            case "enqueue":
                client.SendBytes(frame);
                client.Close(channel);
                string answer = await client.AnswerAsync(channel);
                return data is "echo" or "upload" or "ping" ? Differs(" close", answer)
                    : data == "headers" ? (answer.EndsWith("] close", StringComparison.Ordinal) ? "" : answer) : answer;
            case "chunk":
                client.OpenAs(channel, "echo");
                client.SendBytes(frame);
                client.Close(channel);
                return Differs(data + " close", await client.AnswerAsync(channel));
            case "close":
                client.OpenAs(channel, "echo");
                client.Chunk(channel, "whole"u8.ToArray());
                client.SendBytes(frame);
                return Differs("whole close", await client.AnswerAsync(channel));
            case "error":
                client.OpenAs(channel, "echo");
                client.SendBytes(frame);
                return Differs(" error 42 7 client gives up", await client.AnswerAsync(channel));
            default:
                return "nobody knows what to do with it";
        }
    }

    private static string Differs(string expected, string actual) => expected == actual ? "" : $"\"{actual}\", not \"{expected}\"";

    /// <summary>
    /// Some frames refer to headers that earlier messages of their connection had added. A message with a dozen of them on a channel
    /// that is no channel fills the table: it is refused, its headers count all the same.
    /// </summary>
    private static void FillTable(OldestClient client)
    {
        List<byte> message = [0x94, 0, 2, 0x90, 0x9c];
        for (int i = 0; i < 12; i++)
        {
            message.AddRange([0x93, 0xc3, 0xa2, (byte)'h', (byte)('a' + i), 0xa1, (byte)'v']);
        }

        client.SendBytes([.. message]);
    }

    private static Dictionary<ulong, string> Recorded(string framework)
    {
        Dictionary<ulong, string> all = [];
        foreach ((string what, byte[] bytes) in Frames(framework))
        {
            MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
            MessageView view = new(in layout, bytes);
            if (layout.Channel > 1)
            {
                string before = all.GetValueOrDefault(layout.Channel, "");
                all[layout.Channel] = before + what.Split(' ')[0] switch
                {
                    "chunk" => Encoding.UTF8.GetString(view.ShortData),
                    "error" => $" error {layout.Category} {layout.Code} {Encoding.UTF8.GetString(view.Text)}",
                    _ => " close",
                };
            }
        }

        return all;
    }

    private static IEnumerable<(string What, byte[] Bytes)> Frames(string from) =>
        JsonDocument.Parse(File.ReadAllBytes(Vectors)).RootElement.EnumerateArray()
            .Where(frame => frame.GetProperty("from").GetString() == from)
            .Select(frame => (frame.GetProperty("what").GetString()!, Convert.FromHexString(frame.GetProperty("hex").GetString()!)));
}
