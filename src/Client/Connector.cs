using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Client;

/// <summary>Connects a socket to an endpoint.</summary>
internal static class Connector
{
    /// <summary>A connected, non-blocking socket. Its owner must keep it, because the descriptor lives as long as the socket.</summary>
    /// <exception cref="ConnectionLostException">No address of the endpoint answers.</exception>
    public static async Task<Socket> ConnectAsync(string endpoint, TimeSpan timeout, CancellationToken cancellation)
    {
        Exception? last = null;
        try
        {
            foreach (EndPoint address in Endpoint.Parse(endpoint).ConnectAddresses())
            {
                bool unix = address is UnixDomainSocketEndPoint;
                Socket socket = new(address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
                using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                limit.CancelAfter(timeout);
                try
                {
                    await socket.ConnectAsync(address, limit.Token).ConfigureAwait(false);
                    if (!unix)
                    {
                        SocketTuning.Apply((int)socket.Handle);
                    }

                    socket.Blocking = false;
                    return socket;
                }
                catch (Exception failure) when (failure is SocketException or OperationCanceledException)
                {
                    socket.Dispose();
                    cancellation.ThrowIfCancellationRequested();
                    last = failure;
                }
            }
        }
        catch (IOException failure)
        {
            last = failure;
        }

        string why = last is OperationCanceledException ? $"no answer within {timeout.TotalSeconds} s"
            : last is SocketException { SocketErrorCode: SocketError.AddressNotAvailable }
                && endpoint.StartsWith("ipc:", StringComparison.Ordinal)
                ? "there is no such socket" // the text of the system's error is about network addresses
            : last?.Message ?? "it has no address";
        throw new ConnectionLostException($"cannot connect to {endpoint}: {why}", last);
    }
}
