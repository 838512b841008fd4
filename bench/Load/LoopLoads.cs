using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Tools.Load;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Bench.Load;

/// <summary>A load of connections on one event loop.</summary>
internal abstract class LoopLoad : Load
{
    private readonly EventLoop _loop = new(NullLogger.Instance);

    public override async Task StartAsync(LoadSpec spec)
    {
        Tallies.Add(new Tally());
        List<Action> begins = [];
        for (int i = 0; i < spec.Connections; i++)
        {
            string endpoint = spec.Endpoints[i % spec.Endpoints.Length];
            begins.Add(Connect(_loop, await ServerConnector.ConnectAsync(endpoint, spec.Connecting, CancellationToken.None), spec));
        }

        _loop.Start("load");
        _loop.Post(() => begins.ForEach(begin => begin()));
    }

    public override Task StopAsync()
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() =>
        {
            End();
            done.SetResult();
        });
        return done.Task.ContinueWith(_ => _loop.Dispose(), TaskScheduler.Default);
    }

    /// <summary>Makes a connection; gives what begins its requests, on the loop.</summary>
    protected abstract Action Connect(EventLoop loop, ServerSocket server, LoadSpec spec);

    /// <summary>Closes every connection, on the loop.</summary>
    protected abstract void End();
}

/// <summary>Calls of the native protocol: the load of <c>cocaine-fast bench</c>.</summary>
internal sealed class NativeLoad : LoopLoad
{
    private readonly List<LoadConnection> _connections = [];
    private LoadPlan? _plan;

    protected override Action Connect(EventLoop loop, ServerSocket server, LoadSpec spec)
    {
        Tally tally = Tallies[0];
        _plan ??= new LoadPlan(Encoding.UTF8.GetBytes(spec.Event), spec.InFlight, spec.SizeBytes)
        {
            OnAnswer = tally.Record,
            Headers = HeadersOf(spec.DeadlineMs),
        };
        LoadConnection connection = new(loop, server.Descriptor, _plan);
        _connections.Add(connection);
        return () => connection.Begin(server);
    }

    protected override void End()
    {
        Tallies[0].Wrong = _plan!.Mismatches + _plan.Errors.Values.Sum();
        _connections.ForEach(connection => connection.Close("over"));
    }

    private static byte[] HeadersOf(long deadlineMs)
    {
        Span<byte> headers = stackalloc byte[CallOptions.MaxEncodedBytes];
        CallOptions options = new() { Deadline = deadlineMs > 0 ? TimeSpan.FromMilliseconds(deadlineMs) : null };
        return headers[..options.Encode(headers)].ToArray();
    }
}

/// <summary>Bytes to a server that gives them back.</summary>
internal sealed class RawLoad : LoopLoad
{
    private readonly List<RawConnection> _connections = [];

    protected override Action Connect(EventLoop loop, ServerSocket server, LoadSpec spec)
    {
        RawConnection connection = new(loop, server, spec, Tallies[0]);
        _connections.Add(connection);
        return connection.Begin;
    }

    protected override void End() => _connections.ForEach(connection => connection.Close("over"));

    /// <summary>One connection: requests of one size, each starting with its number; answers come in their order.</summary>
    private sealed class RawConnection(EventLoop loop, ServerSocket server, LoadSpec spec, Tally tally)
        : SocketConnection(loop, server.Descriptor)
    {
        private readonly byte[] _request = new byte[spec.SizeBytes];
        private readonly long[] _sentNs = new long[spec.InFlight];
        private ulong _sent;
        private ulong _received;

        public void Begin()
        {
            server.Open(this);
            for (int i = 0; i < spec.InFlight; i++)
            {
                Send();
            }
        }

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            long taken = 0;
            Span<byte> number = stackalloc byte[8];
            while (buffer.Length - taken >= spec.SizeBytes)
            {
                buffer.Slice(taken, 8).CopyTo(number);
                if (BinaryPrimitives.ReadUInt64LittleEndian(number) != _received)
                {
                    tally.Wrong++;
                }

                tally.Record(Stopwatch.GetTimestamp() - _sentNs[_received % (ulong)spec.InFlight]);
                _received++;
                taken += spec.SizeBytes;
                Send();
            }

            return taken;
        }

        protected override void OnClosed(string reason)
        {
        }

        private void Send()
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_request, _sent);
            _sentNs[_sent++ % (ulong)spec.InFlight] = Stopwatch.GetTimestamp();
            if (spec.SizeBytes <= Output.MaxContiguousBytes)
            {
                _request.CopyTo(Output.BeginMessage(spec.SizeBytes));
                Output.EndMessage(spec.SizeBytes);
            }
            else
            {
                Output.WriteLong(_request, default, default);
            }

            ScheduleSend();
        }
    }
}
