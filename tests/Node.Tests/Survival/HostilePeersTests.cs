using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Survival;

/// <summary>A thousand peers that finish nothing, against the program itself: what it takes while they are there, and what it keeps.</summary>
public sealed class HostilePeersTests : IDisposable
{
    private const int MiB = 1 << 20;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_thousand_peers_with_unfinished_names_and_messages_or_none_take_little_and_leave_little()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        await using NodeControlClient control = await serve.ConnectAsync();
        const int Port = 19_417;
        string file = _folder.Write("app.json", $$"""
            {
              "type": "dotnet", "engine": { "backend": "thread", "pool-limit": 1, "concurrency": 1024, "queue-limit": 4096 },
              "args": "{{Path.Combine(Repository.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll")}}",
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:{{Port}}", "events": "*" } }
            }
            """);
        Assert.True((await serve.RunAsync("app", "create", file)).Code == 0, serve.Log);
        string endpoint = $"tcp://127.0.0.1:{Port}";
        using NativePeer good = NativePeer.Connect(endpoint);
        Assert.Equal("1 chunk good", good.Echo(1, "good"));
        long most = 0;
        for (uint round = 0; round < 3; round++)
        {
            List<Peer> peers = [.. Enumerable.Range(0, 1000).Select(number => new Peer(endpoint, number % 3))];
            while (peers.Any(peer => peer.TrySend()))
            {
                most = Math.Max(most, Resident(serve.Process));
                Assert.InRange(most, 0, 350L * MiB);
            }

            Assert.Equal($"{round + 2} chunk good", good.Echo(round + 2, "good"));
            Assert.InRange(peers.Count(peer => peer.IsOpen), 333, 667); // those that are silent, and the messages below the bound
            peers.ForEach(peer => peer.Dispose());
            long limit = Stopwatch.GetTimestamp() + (20 * Stopwatch.Frequency);
            while (Resident(serve.Process) >= 150L * MiB)
            {
                Assert.True(Stopwatch.GetTimestamp() < limit, $"{Resident(serve.Process) / MiB} MiB are kept; the most was {most / MiB}");
                await Task.Delay(50);
            }
        }

        Assert.InRange(most, 200L * MiB, 350L * MiB); // the peers did their worst
    }

    private static long Resident(Process process) =>
        long.Parse(File.ReadAllText($"/proc/{process.Id}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    /// <summary>Sends as much as the node takes, a mebibyte at a time, and stops a byte before its message is whole.</summary>
    private sealed class Peer : IDisposable
    {
        private const int SizeBytes = 60 * MiB;
        private static readonly byte[] Part = new byte[MiB];
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { SendTimeout = 10_000 };
        private int _left;

        public Peer(string endpoint, int kind)
        {
            _socket.Connect(IPEndPoint.Parse(endpoint["tcp://".Length..]));
            byte[] begun = kind switch
            {
                0 => NativePeer.Opening(1, 0xdb, SizeBytes),
                1 => [.. NativePeer.Opening(1, 0xda, 4), .. "echo"u8, 0x93, 1, 0, 0x91, .. NativePeer.Head(0xc6, SizeBytes)],
                _ => [],
            };
            _left = begun.Length == 0 ? 0 : SizeBytes - 1;
            _socket.Send(begun);
        }

        public bool IsOpen { get; private set; } = true;

        public bool TrySend()
        {
            if (_left == 0)
            {
                return false;
            }

            try
            {
                _left -= _socket.Send(Part.AsSpan(0, Math.Min(_left, Part.Length)));
            }
            catch (SocketException)
            {
                (IsOpen, _left) = (false, 0);
            }

            return _left > 0;
        }

        public void Dispose() => _socket.Dispose();
    }
}
