using System.Buffers.Binary;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
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
    private readonly BurstSeal? _seal;
    private TaskCompletionSource _done = new();
    private int _burstsLeft;
    private int _answersLeft;

    private BurstLoad(int inFlight, int sizeBytes, BurstSeal? seal) => (_inFlight, _sizeBytes, _seal) = (inFlight, sizeBytes, seal);

    /// <summary>Connects, with TLS when the options have it.</summary>
    public static async Task<BurstLoad> ConnectAsync(
        string endpoint, int connections, int inFlight, int sizeBytes, ClientOptions? options = null, BurstSeal? seal = null)
    {
        BurstLoad load = new(inFlight, sizeBytes, seal);
        ClientOptions all = (options ?? new ClientOptions()) with { ConnectTimeout = ConnectTimeout };
        for (int i = 0; i < connections; i++)
        {
            load._connections.Add(new Connection(load, await ServerConnector.ConnectAsync(endpoint, all, CancellationToken.None)));
        }

        load._loop.Start("burst");
        load._loop.Post(() => load._connections.ForEach(connection => connection.Begin()));
        if (seal is not null)
        {
            await load.OpenSealAsync();
        }

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

    /// <summary>Sends a request by itself, which opens the session of all.</summary>
    private Task OpenSealAsync()
    {
        _loop.Post(() =>
        {
            _answersLeft = 1;
            _connections[0].Send(1);
        });
        return _done.Task.WaitAsync(RunTimeout);
    }

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
            connection.Send(_inFlight);
        }
    }

    private void Answered()
    {
        if (--_answersLeft == 0)
        {
            Burst();
        }
    }

    private sealed class Connection(BurstLoad load, ServerSocket server)
        : MessageConnection(load._loop, server.Descriptor, ProtocolLimits.Default)
    {
        private readonly byte[] _request = new byte[load._sizeBytes];
        private ulong _channel;
        private long _bytesLeft; // of the answers of this burst

        public void Begin() => server.Open(this);

        public void Send(int requests)
        {
            _bytesLeft = (long)requests * (_request.Length + (load._seal is null ? 0 : BurstSeal.AnswerOverheadBytes));
            for (int i = 0; i < requests; i++)
            {
                bool first = _channel++ == 0;
                BinaryPrimitives.WriteUInt64LittleEndian(_request, _channel);
                if (load._seal is { } seal)
                {
                    seal.Write(Output, _channel, Name, _request);
                    continue;
                }

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
