using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Bench.Load;

/// <summary>What idle connections cost.</summary>
/// <param name="Connections">How many there are.</param>
/// <param name="BytesEach">Growth of the node's resident memory, divided by them.</param>
internal readonly record struct IdleMemory(int Connections, double BytesEach);

/// <summary>Connections that each made one call and then stay, doing nothing.</summary>
internal sealed class IdleConnections(BenchSystem system) : IAsyncDisposable
{
    /// <summary>Calls before the first look at the node's memory, so that what it makes once is made.</summary>
    private const int WarmCalls = 2000;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10), SettleTime = TimeSpan.FromMilliseconds(300);

    private readonly List<Socket> _sockets = [];
    private readonly byte[] _request = Request();
    private readonly byte[] _answer = new byte[Answer().Length];
    private long _rssBefore;

    /// <summary>Opens more, until there are so many, and looks at the node's memory.</summary>
    public async Task<IdleMemory> MeasureAsync(int count)
    {
        if (_rssBefore == 0)
        {
            await using CocaineClient warm = await CocaineClient.ConnectAsync(system.Endpoints[0]);
            for (int i = 0; i < WarmCalls; i++)
            {
                await warm.CallAsync("echo", new byte[64]);
            }

            await Task.Delay(SettleTime);
            _rssBefore = ProcessTree.RssBytes(system.Pids);
        }

        while (_sockets.Count < count)
        {
            Socket socket = await Connector.ConnectAsync(system.Endpoints[0], ConnectTimeout, CancellationToken.None);
            _sockets.Add(socket);
            await CallAsync(socket);
        }

        await Task.Delay(SettleTime);
        return new IdleMemory(count, Math.Max(0, ProcessTree.RssBytes(system.Pids) - _rssBefore) / (double)count);
    }

    public ValueTask DisposeAsync()
    {
        _sockets.ForEach(socket => socket.Dispose());
        return ValueTask.CompletedTask;
    }

    private async Task CallAsync(Socket socket)
    {
        await socket.SendAsync(_request);
        for (int at = 0; at < _answer.Length;)
        {
            int count = await socket.ReceiveAsync(_answer.AsMemory(at));
            at += count > 0 ? count : throw new IOException("the node closed an idle connection");
        }
    }

    private static byte[] Request()
    {
        MemorySink sink = new();
        MessageWriter.WriteEnqueue(sink, 1, Encoding.UTF8.GetBytes("echo"), default, bin: true);
        MessageWriter.WriteChunk(sink, 1, new Payload(new byte[64]), bin: true);
        MessageWriter.WriteClose(sink, 1);
        return sink.Written.ToArray();
    }

    private static byte[] Answer()
    {
        MemorySink sink = new();
        MessageWriter.WriteChunk(sink, 1, new Payload(new byte[64]), bin: true);
        MessageWriter.WriteClose(sink, 1);
        return sink.Written.ToArray();
    }
}
