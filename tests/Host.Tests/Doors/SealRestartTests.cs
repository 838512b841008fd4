using System.Net.Sockets;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>Sealed calls that a relay has kept over the end of a node, of senders with right clocks and of senders whose clock is ahead.</summary>
public sealed class SealRestartTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly SealKeys _keys = new("billing");

    public void Dispose()
    {
        _folder.Dispose();
        _keys.Dispose();
    }

    [NeedsFact("python3", "python3")]
    public async Task A_killed_node_takes_no_opening_a_second_time()
    {
        _folder.Write("app.py", "def echo(request):\n    yield request\n");
        string manifest = _folder.Write("shop.json", $$"""
            { "name": "shop", "type": "python", "args": "app.py", "tasks": { "shop": {
                "type": "native-server", "endpoint": "ipc://{{_folder["shop.sock"]}}", "events": "*", "sealed": "required" } } }
            """);
        string config = $$""" "security": { "keys": "{{_keys.Folder}}" } """;
        KeptCall[] kept;
        using (ServeProcess first = await ServeProcess.StartAsync(_folder, config))
        {
            (int code, _, string errors) = await first.RunAsync("app", "create", manifest);
            Assert.True(code == 0, errors);
            kept = [Call(aheadS: 0), Call(aheadS: 1), Call(aheadS: 55)];
            foreach (KeptCall call in kept)
            {
                Assert.Equal("pay 5", call.Open((await AnswerAsync(call))[0]));
            }

            first.Signal("KILL");
            await first.ExitAsync();
        }

        using ServeProcess second = await ServeProcess.StartAsync(_folder, config);
        const string BeforeStart = "^seal: made ([0-9]+) s before this node's start by the caller's clock: try again in \\1 s, or set the clock$";
        const string Used = "^seal: replayed or too old$";
        string either = $"{BeforeStart}|{Used}"; // by the second in which the node was back
        foreach ((KeptCall call, string text) in kept.Append(Call(aheadS: -20)).Zip([either, either, Used, BeforeStart]))
        {
            Received refused = Assert.Single(await AnswerAsync(call));
            Assert.Equal(ErrorCodes.Unauthenticated, refused.Code);
            Assert.Matches(text, refused.Text);
        }

        foreach (KeptCall call in (KeptCall[])[Call(aheadS: 0), Call(aheadS: 55)]) // new ones need no wait
        {
            Assert.Equal("pay 5", call.Open((await AnswerAsync(call))[0]));
        }
    }

    private KeptCall Call(int aheadS) => new SealedCaller(_keys, "billing", "shop", aheadS).Call("echo", "pay 5");

    private async Task<List<Received>> AnswerAsync(KeptCall call)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder["shop.sock"]));
        using MessagePeer peer = new(socket);
        return await call.SendAsync(peer);
    }
}
