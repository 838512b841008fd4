using System.Text;
using Cocaine.Fast.Worker;

namespace App;

/// <summary>Every method with an event's name is called by it.</summary>
public sealed class HelloApp
{
    [Event("hello")]
    public string Hello(string request) => $"hello, {(request.Length > 0 ? request : "world")}";

    /// <summary>Both ways are streams: each chunk is answered as it comes.</summary>
    [Event("shout")]
    public async ValueTask Shout(Request request, Response response)
    {
        while (await request.ReadAsync() is { } chunk)
        {
            await response.WriteAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(chunk.Span).ToUpperInvariant()));
        }
    }
}
