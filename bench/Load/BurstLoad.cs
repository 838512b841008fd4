using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Bench.Load;

/// <summary>
/// Requests in step: each connection sends its requests with one send, and the next burst begins when every answer of the last is there.
/// So what a server has to do for a burst is the same, whoever is faster.
/// </summary>
internal sealed class BurstLoad : IDisposable
{
    /// <summary>Far above what it takes on a machine that does ten other things: only a load that stands still ends by it.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30), RunTimeout = TimeSpan.FromMinutes(5);
    private static readonly byte[] Name = Encoding.UTF8.GetBytes("echo");

    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly List<Connection> _connections = [];
    private readonly int _inFlight;
    private readonly int _sizeBytes;
    private TaskCompletionSource _done = new();
    private int _burstsLeft;
    private int _answersLeft;

    private BurstLoad(int inFlight, int sizeBytes) => (_inFlight, _sizeBytes) = (inFlight, sizeBytes);

    public static async Task<BurstLoad> ConnectAsync(string endpoint, int connections, int inFlight, int sizeBytes)
    {
        BurstLoad load = new(inFlight, sizeBytes);
        for (int i = 0; i < connections; i++)
        {
            using Socket socket = await Connector.ConnectAsync(endpoint, ConnectTimeout, CancellationToken.None);
            load._connections.Add(new Connection(load, DescriptorCopy.Of((int)socket.Handle)));
        }

        load._loop.Start("burst");
        load._loop.Post(() => load._connections.ForEach(connection => connection.Open()));
        return load;
    }

    /// <summary>Sends so many bursts, one after the other.</summary>
    /// <exception cref="IOException">An answer is not the one to its request, or a connection ended.</exception>
    public Task RunAsync(int bursts)
    {
        _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _burstsLeft = bursts;
        _loop.Post(Burst);
        return _done.Task.WaitAsync(RunTimeout);
    }

    public void Dispose() => _loop.Dispose();

    private void Burst()
    {
        if (_burstsLeft-- == 0)
        {
            _done.SetResult();
            return;
        }

        _answersLeft = _connections.Count * _inFlight;
        foreach (Connection connection in _connections)
        {
            connection.Send();
        }
    }

    private void Answered()
    {
        if (--_answersLeft == 0)
        {
            Burst();
        }
    }

    private sealed class Connection(BurstLoad load, int descriptor)
        : MessageConnection(load._loop, descriptor, ProtocolLimits.Default)
    {
        private readonly byte[] _request = new byte[load._sizeBytes];
        private ulong _channel;
        private long _bytesLeft; // of the answers of this burst

        public void Send()
        {
            _bytesLeft = (long)load._inFlight * _request.Length;
            for (int i = 0; i < load._inFlight; i++)
            {
                bool first = _channel++ == 0;
                BinaryPrimitives.WriteUInt64LittleEndian(_request, _channel);
                MessageWriter.WriteEnqueue(Output, _channel, Name, default, first);
                MessageWriter.WriteChunk(Output, _channel, new Payload(_request), bin: true);
                MessageWriter.WriteClose(Output, _channel);
            }

            ScheduleSend();
        }

        protected override void OnMessage(in MessageView message, HeaderStatus headers)
        {
            if (message.Layout.Type == 0)
            {
                _bytesLeft -= message.Layout.DataLength;
            }
            else if (message.Layout.Type == 2)
            {
                load.Answered();
            }
            else
            {
                Close($"an error instead of an answer: {Encoding.UTF8.GetString(message.Text)}");
                return;
            }

            if (_bytesLeft < 0)
            {
                Close("an answer longer than its request");
            }
        }

        protected override void OnMalformed(ulong? channel, int code, string problem) => Close(problem);

        protected override void OnClosed(string reason) => load._done.TrySetException(new IOException(reason));
    }
}
