using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Cocaine.Fast.Worker;

namespace DotNetEcho;

public sealed class EchoApp
{
    private static readonly byte[] Zeros = new byte[64 << 10];

    /// <summary>Gives every chunk back as it comes. It allocates nothing when the request is here already.</summary>
    [Event("echo")]
    public ValueTask Echo(Request request, Response response)
    {
        while (request.TryRead(out ReadOnlyMemory<byte> chunk))
        {
            response.Write(chunk.Span);
        }

        return request.IsEnded ? default : EchoRestAsync(request, response);
    }

    /// <summary>Gives the whole request back. It reads the request where the node has put it, without a copy.</summary>
    [Event("mirror")]
    public ReadOnlySpan<byte> Mirror(ReadOnlySpan<byte> request) => request;

    /// <summary>Streams the numbers from 1 to the one in the request, a chunk each.</summary>
    [Event("count")]
    public async ValueTask Count(Request request, Response response)
    {
        ReadOnlyMemory<byte> text = await request.ReadAllAsync();
        int last = int.Parse(Encoding.UTF8.GetString(text.Span), CultureInfo.InvariantCulture);
        for (int i = 1; i <= last; i++)
        {
            await response.WriteAsync(Encoding.UTF8.GetBytes($"{i}\n"));
        }
    }

    /// <summary>Streams as many bytes as the request says.</summary>
    [Event("blob")]
    public async ValueTask Blob(Request request, Response response)
    {
        ReadOnlyMemory<byte> text = await request.ReadAllAsync();
        int left = int.Parse(Encoding.UTF8.GetString(text.Span), CultureInfo.InvariantCulture);
        for (; left > 0; left -= Math.Min(left, Zeros.Length))
        {
            await response.WriteAsync(Zeros.AsMemory(0, Math.Min(left, Zeros.Length)));
        }
    }

    /// <summary>Tells how many bytes its process has allocated until now: whether requests make garbage.</summary>
    [Event("allocated")]
    public string Allocated(string request) => GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture);

    [Event("fail")]
    public string Fail(string request) => throw new InvalidOperationException(request);

    // A handler that has to wait is an object while it does; pooled, it is none for the next request.
    [AsyncMethodBuilder(typeof(PooledHandlerMethodBuilder))]
    private static async ValueTask EchoRestAsync(Request request, Response response)
    {
        while (await request.ReadAsync() is { } chunk)
        {
            await response.WriteAsync(chunk);
        }
    }
}
