using System.Text;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>
/// Bodies without a seal at each kind of ZeroMQ task of a node with rules: a stranger makes no job of them, whether the task takes seals or
/// not.
/// </summary>
public sealed class StrangersBodiesTests : IDisposable
{
    private const string Uuid = "00112233-4455-6677-8899-aabbccddeeff";

    private readonly SealKeys _keys = new("billing");

    public void Dispose() => _keys.Dispose();

    [Theory]
    [InlineData("zeromq-server", "REQ", "no")]
    [InlineData("zeromq-server", "REQ", "accepted")]
    [InlineData("server+lsd", "DEALER", "no")]
    [InlineData("server+lsd", "DEALER", "accepted")]
    [InlineData("native-server", "DEALER", "no")]
    [InlineData("native-server", "DEALER", "accepted")]
    [InlineData("zeromq-sink", "PUSH", "no")]
    [InlineData("zeromq-sink", "PUSH", "accepted")]
    [InlineData("native-sink", "PUSH", "no")]
    [InlineData("native-sink", "PUSH", "accepted")]
    public async Task A_stranger_makes_no_job(string type, string socket, string mode)
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder, security: new SecurityConfig
        {
            Identities = [new Identity { Name = "billing", RsaKeys = ["billing"] }],
            Rights = [new RightsRule { Callers = ["billing"], Calls = [new CallGrant(new NamePattern("*"), [new NamePattern("*")])] }],
        });
        string transport = type.StartsWith("native", StringComparison.Ordinal) ? "\"transport\": \"zeromq\", " : "";
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(
            $$"""{ "echo": { "type": "{{type}}", {{transport}}"endpoint": "tcp://lo:0", "sealed": "{{mode}}" } }"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("stranger", socket, app.EndpointOf("echo"));
        byte[][] group = ZeroMqApps.Group(Uuid, "plain");
        await peer.SendAsync("stranger", type switch
        {
            "server+lsd" => [[], Encoding.UTF8.GetBytes($$"""{"uuid": "{{Uuid}}"}"""), "plain"u8.ToArray()],
            "native-server" => [[], .. group],
            "native-sink" => group,
            _ => ["plain"u8.ToArray()],
        });
        await node.LogLines.UntilAsync("denied who=@loopback by=nothing");
        bool isAnswered = socket != "PUSH" && (type, mode) != ("server+lsd", "no"); // such a dealer can read no answer to a whole message
        if (isAnswered)
        {
            string answer = string.Join(' ', (await peer.ReceiveAsync("stranger"))!.Select(Encoding.UTF8.GetString));
            Assert.Contains("this door wants to know who calls", answer, StringComparison.Ordinal);
        }

        Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
    }
}
