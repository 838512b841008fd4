using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>Handlers with long answers and long requests, in each way that a handler can write.</summary>
public sealed class Pouring
{
    private const int ChunkBytes = 64 << 10;

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();

    /// <summary>Answers so many chunks within one synchronous call.</summary>
    [Event("pours")]
    public void Pour(Request request, Response response)
    {
        byte[] chunk = new byte[ChunkBytes];
        request.TryRead(out ReadOnlyMemory<byte> count);
        for (int i = Number(count); i > 0; i--)
        {
            response.Write(chunk);
        }
    }

    /// <summary>Awaits each chunk of its answer.</summary>
    [Event("streams")]
    public async Task Stream(Request request, Response response)
    {
        byte[] chunk = new byte[ChunkBytes];
        for (int i = Number(await request.ReadAllAsync()); i > 0; i--)
        {
            await response.WriteAsync(chunk);
        }
    }

    /// <summary>Goes on, after its request, without an await.</summary>
    [Event("mixes")]
    public async Task Mix(Request request, Response response)
    {
        byte[] chunk = new byte[ChunkBytes];
        for (int i = Number(await request.ReadAllAsync()); i > 0; i--)
        {
            response.Write(chunk);
        }
    }

    /// <summary>Writes on another thread.</summary>
    [Event("threads")]
    public async Task Thread(Request request, Response response)
    {
        int count = Number(await request.ReadAllAsync());
        await Task.Run(async () =>
        {
            byte[] chunk = new byte[ChunkBytes];
            for (int i = count; i > 0; i--)
            {
                await response.WriteAsync(chunk);
            }
        });
    }

    /// <summary>The first chunk names a gate. Once that is open, answers how long the rest is.</summary>
    [Event("sums")]
    public async Task Sum(Request request, Response response)
    {
        await GateOf(await FirstAsync(request)).Task;
        long bytes = 0;
        while (await request.ReadAsync() is { } chunk)
        {
            bytes += chunk.Length;
        }

        response.Write(Encoding.UTF8.GetBytes(bytes.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Answers how long its request is, and makes a pause of a millisecond after each megabyte.</summary>
    [Event("sips")]
    public async Task Sip(Request request, Response response)
    {
        long bytes = 0, rested = 0;
        while (await request.ReadAsync() is { } chunk)
        {
            bytes += chunk.Length;
            if (bytes - rested > 1 << 20)
            {
                rested = bytes;
                await Task.Delay(1);
            }
        }

        response.Write(Encoding.UTF8.GetBytes(bytes.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>The same for a task of this name.</summary>
    [Event("drinks")]
    public Task Drink(Request request, Response response) => Sip(request, response);

    /// <summary>Opens a gate.</summary>
    [Event("opens")]
    public string Open(string name)
    {
        GateOf(name).SetResult();
        return name;
    }

    [Event("echo")]
    public byte[] Echo(byte[] request) => request;

    private static async Task<string> FirstAsync(Request request) => Encoding.UTF8.GetString((await request.ReadAsync())!.Value.Span);

    private static int Number(ReadOnlyMemory<byte> text) => int.Parse(Encoding.UTF8.GetString(text.Span), CultureInfo.InvariantCulture);

    private TaskCompletionSource GateOf(string name) =>
        _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
