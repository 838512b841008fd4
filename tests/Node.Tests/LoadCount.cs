using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Tools.Load;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node.Tests;

/// <summary>Puts a steady load on an endpoint and counts what the process allocates while a number of its requests go through.</summary>
internal static class LoadCount
{
    /// <summary>
    /// Numbers of requests, one after the other, of which the least allocation counts. A buffer pool of node or load that still grows, by
    /// slabs of 256 KiB, shows in one of them; an object for each request shows in all.
    /// </summary>
    private const int Windows = 3;

    public static async Task<(long Bytes, long Requests)> CountAsync(
        string endpoint, int requests, int sizeBytes = 64, int connectionCount = 8, int inFlight = 8, TlsContext? tls = null)
    {
        using EventLoop loop = new(NullLogger.Instance);
        long done = 0;
        LoadPlan plan = new(Encoding.UTF8.GetBytes("echo"), inFlight, sizeBytes) { OnAnswer = _ => Volatile.Write(ref done, done + 1) };
        List<LoadConnection> connections = [];
        loop.Start("load");
        for (int i = 0; i < connectionCount; i++)
        {
            using Socket socket = await Connector.ConnectAsync(endpoint, TimeSpan.FromSeconds(5), CancellationToken.None);
            TlsSession? session = tls?.Connect("localhost");
            byte[] first = session is null ? [] : await ClientHandshake.RunAsync(loop, socket, session, CancellationToken.None);
            LoadConnection connection = new(loop, DescriptorCopy.Of((int)socket.Handle), plan);
            if (session is not null)
            {
                connection.Secure(session, first);
            }

            connections.Add(connection);
        }

        loop.Post(() => connections.ForEach(connection => connection.Begin()));
        SpinUntil(() => Volatile.Read(ref done) > requests / 2); // the load's own buffers have grown by then
        (long Bytes, long Requests) least = (long.MaxValue, 0);
        for (int i = 0; i < Windows; i++)
        {
            long from = Volatile.Read(ref done);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            SpinUntil(() => Volatile.Read(ref done) - from >= requests);
            long bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
            least = bytes < least.Bytes ? (bytes, Volatile.Read(ref done) - from) : least;
        }

        loop.Post(() => plan.IsOver = true);
        Assert.Equal(0, plan.Mismatches);
        return least;
    }

    // Not a synchronisation but the measured interval; a wait object would allocate within it.
    private static void SpinUntil(Func<bool> condition)
    {
        long limit = Environment.TickCount64 + 60_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < limit, "the load does not go on");
            Thread.Sleep(1);
        }
    }
}
