using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// Asks the peer at an address for its type of ZeroMQ socket. ZeroMQ itself waits in silence for a peer that never speaks ZeroMQ, or whose
/// type cannot be heard.
/// </summary>
/// <remarks>
/// ZMTP 3 (rfc.zeromq.org/spec/23): a greeting is FF, 8 bytes, 7F, the major and minor version, a mechanism of 20 bytes and 32 more; then
/// the command READY with the property Socket-Type. In ZMTP 2 (spec/15) the byte after the signature is 1, and the next byte is the type.
/// </remarks>
internal static class SocketTypeProbe
{
    /// <summary>
    /// The peer greets like ZeroMQ, but does not tell its type without more, for example because it uses a mechanism with keys.
    /// </summary>
    public const string NotSaid = "";

    /// <summary>The longest wait: a ZeroMQ socket greets at once, but may be on a busy machine far away.</summary>
    private const int TimeoutMs = 3_000;

    private const int SignatureLength = 10, GreetingLength = 64;

    /// <summary>The most bytes of a READY command: its type and an identity of at most 255 bytes.</summary>
    private const int MaxBytes = 1024;

    private static readonly string[] OldTypes = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"];

    /// <summary>The type, such as PUB; null when the peer is no ZeroMQ socket.</summary>
    /// <exception cref="SocketException">Nobody listens there, or the connection was lost.</exception>
    public static async Task<string?> AskAsync(IPEndPoint address, CancellationToken cancellation)
    {
        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, cancellation).ConfigureAwait(false);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeoutMs);
        byte[] heard = new byte[MaxBytes];
        int length = 0;
        try
        {
            while (length < MaxBytes && TypeOf(heard.AsSpan(0, length)) is NotSaid)
            {
                int count = await socket.ReceiveAsync(heard.AsMemory(length), limit.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                if (length == 0 && heard[0] == 0xff)
                {
                    await socket.SendAsync(Greeting(), limit.Token).ConfigureAwait(false); // not before: another server would log garbage
                }

                length += count;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // the peer says no more
        }
        catch (SocketException) when (length == 0)
        {
            return null; // the peer was connected, but does not take the greeting for its protocol
        }

        return length == 0 ? null : TypeOf(heard.AsSpan(0, length));
    }

    private static byte[] Greeting()
    {
        byte[] greeting = new byte[GreetingLength];
        greeting[0] = 0xff;
        greeting[SignatureLength - 1] = 0x7f;
        greeting[SignatureLength] = 3;
        "NULL"u8.CopyTo(greeting.AsSpan(SignatureLength + 2));
        return greeting;
    }

    private static string? TypeOf(ReadOnlySpan<byte> heard)
    {
        if (heard.Length > 0 && (heard[0] != 0xff || (heard.Length >= SignatureLength && heard[SignatureLength - 1] != 0x7f)))
        {
            return null;
        }

        if (heard.Length > SignatureLength + 1 && heard[SignatureLength] < 3)
        {
            int old = heard[SignatureLength + 1];
            return old < OldTypes.Length ? OldTypes[old] : NotSaid;
        }

        ReadOnlySpan<byte> name = "\u000bSocket-Type"u8; // the name's length is before it, and 4 bytes of the value's length after it
        int at = heard.IndexOf(name);
        int from = at + name.Length + 4;
        return at < 0 || from > heard.Length || heard[from - 1] is not (> 0 and <= 16) || from + heard[from - 1] > heard.Length ? NotSaid
            : JsonPath.Shown(Encoding.ASCII.GetString(heard.Slice(from, heard[from - 1])));
    }
}
