using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>A handler that reads its request when it is told to.</summary>
public sealed class Gated
{
    /// <summary>The first chunk is the path of a socket; a byte from there lets it read the rest, whose length it answers.</summary>
    [Event("sum")]
    public async Task Sum(Request request, Response response)
    {
        string path = Encoding.UTF8.GetString((await request.ReadAsync())!.Value.Span);
        using (Socket gate = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await gate.ConnectAsync(new UnixDomainSocketEndPoint(path));
            await gate.ReceiveAsync(new byte[1]);
        }

        long bytes = 0;
        while (await request.ReadAsync() is { } chunk)
        {
            bytes += chunk.Length;
        }

        response.Write(Encoding.UTF8.GetBytes(bytes.ToString(CultureInfo.InvariantCulture)));
    }
}
