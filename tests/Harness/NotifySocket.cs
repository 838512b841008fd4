using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Cocaine.Fast.Harness;

/// <summary>The end of systemd: a datagram socket that a service sends its notes to.</summary>
internal sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    /// <param name="path">A path, or a name that begins with @: an abstract one.</param>
    public NotifySocket(string path) => _socket.Bind(new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));

    /// <summary>The next note; null when none comes in the time.</summary>
    public async Task<string?> NextAsync(TimeSpan limit)
    {
        byte[] buffer = new byte[4096];
        using CancellationTokenSource late = new(limit);
        try
        {
            return Encoding.UTF8.GetString(buffer, 0, await _socket.ReceiveAsync(buffer, late.Token));
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Waits for a note that begins so, past others.</summary>
    public async Task<string> UntilAsync(string beginning)
    {
        TimeSpan limit = TimeSpan.FromSeconds(30);
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < limit && await NextAsync(limit) is { } note) // the watchdog's notes never end
        {
            if (note.StartsWith(beginning, StringComparison.Ordinal))
            {
                return note;
            }
        }

        throw new TimeoutException($"no note {beginning} came");
    }

    public void Dispose() => _socket.Dispose();
}
