using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;
using Xunit.Abstractions;

namespace Cocaine.Fast.Transport.Tests.SharedMemory;

public sealed class TwoProcessRingTests(ITestOutputHelper output)
{
    private const long Records = 100_000_000;

    [Fact]
    public void A_hundred_million_records_come_whole_and_in_order()
    {
        using Peer peer = new(Records);
        long start = Stopwatch.GetTimestamp();
        long next = peer.Read(Records, stopAtExit: false);
        output.WriteLine($"{Records / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6:F1} M records/s");
        Assert.Equal(Records, next);
        Assert.Equal(0, peer.ExitCode());
    }

    [Fact]
    public void A_writer_killed_at_any_point_leaves_only_whole_records()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        for (int round = 0; round < 30; round++)
        {
            using Peer peer = new(long.MaxValue);
            long killAfter = random.NextInt64(1, 300_000);
            long read = peer.Read(killAfter, stopAtExit: false);
            peer.Kill();
            long rest = peer.Read(long.MaxValue, stopAtExit: true);
            Assert.True(rest >= read, $"seed {seed}, round {round}");
        }
    }

    /// <summary>The writing process, and this side's reader.</summary>
    private sealed class Peer : IDisposable
    {
        private readonly Segment _segment = Segment.Create(64 << 10, 1, 0, shared: true);
        private readonly EventDescriptor _ownBell = new();
        private readonly EventDescriptor _peerBell = new();
        private readonly Epoll _epoll = new();
        private readonly Process _process;
        private readonly ByteRingReader _reader;
        private long _next;

        public Peer(long count)
        {
            string path = Path.Combine(Path.GetTempPath(), $"ring-test-{Guid.NewGuid():N}");
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            string program = Path.Combine(AppContext.BaseDirectory, "Peers.dll");
            _process = Process.Start(new ProcessStartInfo("dotnet", [program, "write-numbers", path, $"{count}"]))!;
            using Socket socket = listener.Accept();
            File.Delete(path);
            Assert.True(DescriptorPassing.TrySend((int)socket.Handle, [0],
                [_segment.Descriptor, _peerBell.Descriptor, _ownBell.Descriptor]));
            _reader = new ByteRingReader(_segment.Responses);
            _epoll.Watch(_ownBell.Descriptor, Epoll.In | Epoll.EdgeTriggered, 0);
        }

        /// <summary>
        /// Reads until so many numbers have come, or the writer is dead and the ring empty. Returns how many came in all.
        /// </summary>
        public long Read(long until, bool stopAtExit)
        {
            while (_next < until)
            {
                RingRead read = _reader.TryRead(out ReadOnlySpan<byte> payload, out _);
                if (read == RingRead.Record)
                {
                    foreach (long number in MemoryMarshal.Cast<byte, long>(payload))
                    {
                        if (number != _next++)
                        {
                            Assert.Fail($"{number} came instead of {_next - 1}");
                        }
                    }

                    continue;
                }

                if (read == RingRead.Fault)
                {
                    Assert.Fail(_reader.Fault);
                }

                if (_reader.Release())
                {
                    _peerBell.Ring();
                }

                if (stopAtExit && !_reader.HasRecords)
                {
                    return _next;
                }

                if (_reader.TryPark())
                {
                    Assert.True(_epoll.Wait(30_000) > 0, "a wake-up was lost");
                    _reader.Unpark();
                }
            }

            return _next;
        }

        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        public int ExitCode()
        {
            _reader.Release();
            _peerBell.Ring();
            Assert.True(_process.WaitForExit(30_000));
            return _process.ExitCode;
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                Kill();
            }

            _process.Dispose();
            _epoll.Dispose();
            _ownBell.Dispose();
            _peerBell.Dispose();
            _segment.Dispose();
        }
    }
}
