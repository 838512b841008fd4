using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Client;

/// <summary>
/// Connects a socket to an endpoint. Several addresses of a host are tried side by side, each a moment after the one before, and the first
/// that answers is taken (RFC 8305).
/// </summary>
internal static class Connector
{
    /// <summary>After this the next address is tried too: the delay that RFC 8305 recommends.</summary>
    private static readonly TimeSpan NextDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Addresses of one host that are tried: more of them are no host's, and each costs a descriptor meanwhile.</summary>
    private const int MostAddresses = 16;

    /// <summary>The longest time that a timer takes, in its whole days.</summary>
    private static readonly TimeSpan MostTimeout = TimeSpan.FromDays(49);

    /// <summary>A connected, non-blocking socket. Its owner must keep it, because the descriptor lives as long as the socket.</summary>
    /// <exception cref="ConnectionLostException">No address of the endpoint answers.</exception>
    /// <exception cref="FormatException">The endpoint cannot be read.</exception>
    public static Task<Socket> ConnectAsync(string endpoint, TimeSpan timeout, CancellationToken cancellation) =>
        ConnectAsync(Endpoint.Parse(endpoint), endpoint, timeout, cancellation);

    /// <summary>The same for an endpoint that was read.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="shown">The endpoint as its user wrote it, for the text of a failure.</param>
    /// <param name="timeout">The longest time.</param>
    /// <param name="cancellation">Gives the connect up.</param>
    /// <exception cref="ConnectionLostException">No address of the endpoint answers.</exception>
    public static async Task<Socket> ConnectAsync(Endpoint endpoint, string shown, TimeSpan timeout, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            limit.CancelAfter(timeout < MostTimeout ? timeout : MostTimeout);
        }

        Exception? last = null;
        try
        {
            return await FirstAsync([.. endpoint.ConnectAddresses().Take(MostAddresses)], limit).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException or IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            last = failure;
        }

        string why = last is OperationCanceledException ? $"no answer within {timeout.TotalSeconds} s"
            : last is SocketException { SocketErrorCode: SocketError.AddressNotAvailable }
                && endpoint.Path is not null
                ? "there is no such socket" // the text of the system's error is about network addresses
            : last.Message;
        throw new ConnectionLostException($"cannot connect to {shown}: {why}", last);
    }

    /// <summary>The first connection that comes about; the other attempts are given up.</summary>
    internal static async Task<Socket> FirstAsync(EndPoint[] addresses, CancellationTokenSource limit)
    {
        List<Task<Socket>> attempts = [];
        Exception last = new IOException("it has no address");
        for (int next = 0; next < addresses.Length || attempts.Count > 0;)
        {
            if (next < addresses.Length)
            {
                attempts.Add(ConnectAsync(addresses[next++], limit.Token));
            }

            Task<Socket> ended = await EndedAsync(attempts, next < addresses.Length, limit.Token).ConfigureAwait(false);
            if (ended.IsCompletedSuccessfully)
            {
                attempts.Remove(ended);
                await limit.CancelAsync().ConfigureAwait(false);
                attempts.ForEach(attempt => attempt.ContinueWith(
                    static late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion,
                    TaskScheduler.Default));
                return await ended.ConfigureAwait(false);
            }

            foreach (Task<Socket> failed in attempts.Where(attempt => attempt.IsFaulted || attempt.IsCanceled).ToArray())
            {
                attempts.Remove(failed);
                last = failed.Exception?.InnerException ?? new OperationCanceledException();
            }
        }

        throw last;
    }

    /// <summary>An attempt that has ended, well or not; any of them when it is time for the next address.</summary>
    private static async Task<Task<Socket>> EndedAsync(List<Task<Socket>> attempts, bool hasNext, CancellationToken cancellation)
    {
        Task<Task<Socket>> first = Task.WhenAny(attempts);
        if (!hasNext)
        {
            return await first.ConfigureAwait(false);
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task delay = Task.Delay(NextDelay, over.Token);
        Task ended = await Task.WhenAny(first, delay).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        return ended == first ? await first.ConfigureAwait(false) : attempts[^1];
    }

    private static async Task<Socket> ConnectAsync(EndPoint address, CancellationToken cancellation)
    {
        bool unix = address is UnixDomainSocketEndPoint;
        Socket socket = new(address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            socket.Blocking = false;
            cancellation.ThrowIfCancellationRequested();
            if (!unix)
            {
                SocketTuning.PrepareConnect((int)socket.Handle, address);
            }

            try
            {
                socket.Connect(address);
            }
            catch (SocketException pending) when (!unix && pending.SocketErrorCode is SocketError.InProgress or SocketError.WouldBlock)
            {
                await Readiness.WaitAsync(ClientLoop.Shared, (int)socket.Handle, Epoll.Out, cancellation).ConfigureAwait(false);
                ThrowIfFailed(socket);
            }

            if (!unix)
            {
                SocketTuning.Apply((int)socket.Handle);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void ThrowIfFailed(Socket socket)
    {
        int error = (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        if (error != 0)
        {
            throw new SocketException(error);
        }
    }
}
