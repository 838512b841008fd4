using System.Runtime.CompilerServices;
using System.Text;
using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>Handlers that go on in other threads than the slave's loop, as most code does.</summary>
public sealed class Elsewhere
{
    private readonly SemaphoreSlim _gate = new(0);
    private Task<string>? _late;
    private Response? _kept;

    /// <summary>Echoes, and changes its thread between any two steps.</summary>
    [Event("hops")]
    public async Task Hops(Request request, Response response)
    {
        while (await request.ReadAsync().ConfigureAwait(false) is { } chunk)
        {
            await Task.Run(static () => { }).ConfigureAwait(false);
            await response.WriteAsync(chunk).ConfigureAwait(false); // before the next read: the chunk is valid until then
            await Task.Yield();
        }
    }

    /// <summary>Echoes each byte of a chunk as it comes, from the pool and from the loop in turn, synchronously and not.</summary>
    [Event("mixed")]
    public async ValueTask Mixed(Request request, Response response)
    {
        for (int turn = 0; await request.ReadAsync() is { } chunk; turn++)
        {
            byte[] copy = chunk.ToArray();
            int half = copy.Length / 2;
            response.Write(copy.AsSpan(0, half));
            if (turn % 2 == 0)
            {
                await Task.Run(() => response.Write(copy.AsSpan(half)));
            }
            else
            {
                await response.WriteAsync(copy.AsMemory(half));
            }
        }
    }

    /// <summary>The whole work is done by a thread of its own, which reads and writes synchronously.</summary>
    [Event("thread")]
    public Task OwnThread(Request request, Response response)
    {
        TaskCompletionSource done = new();
        new Thread(() =>
        {
            try
            {
                while (request.ReadAsync().AsTask().Result is { } chunk)
                {
                    response.WriteAsync(chunk).AsTask().Wait();
                }

                done.SetResult();
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        }).Start();
        return done.Task;
    }

    /// <summary>Fails from a timer's thread.</summary>
    [Event("fails")]
    public Task Fails(Request request, Response response)
    {
        TaskCompletionSource done = new();
        Timer? timer = null;
        timer = new Timer(_ =>
        {
            response.Error(77, "from a timer");
            timer!.Dispose();
            done.SetResult();
        }, null, 1, Timeout.Infinite);
        return done.Task;
    }

    /// <summary>Synchronous over asynchronous.</summary>
    [Event("result")]
    public string Result(string request) => InnerAsync(request).Result;

    /// <summary>The same, with the request and the answer.</summary>
    [Event("waits")]
    public void Waits(Request request, Response response)
    {
        string text = Encoding.UTF8.GetString(request.ReadAllAsync().AsTask().Result.Span);
        response.Write(Encoding.UTF8.GetBytes(InnerAsync(text).GetAwaiter().GetResult()));
    }

    /// <summary>Writes until it is refused; each write is awaited.</summary>
    [Event("flood")]
    public async Task Flood(Request request, Response response)
    {
        byte[] chunk = new byte[64 << 10];
        for (int i = 0; i < 256; i++)
        {
            chunk.AsSpan().Fill((byte)i);
            await Task.Run(async () => await response.WriteAsync(chunk).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>Forgets a task that writes when the gate opens.</summary>
    [Event("late")]
    public ValueTask Late(Request request, Response response)
    {
        _late = LaterAsync(request, response);
        response.Write("early"u8);
        return default;
    }

    /// <summary>Echoes, and keeps the response when it is told to; it is no object while it waits, and none that keeps.</summary>
    [Event("keeps")]
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask Keeps(Request request, Response response)
    {
        while (await request.ReadAsync() is { } chunk)
        {
            if (chunk.Span.SequenceEqual("keep"u8))
            {
                _kept = response;
            }

            response.Write(chunk.Span);
        }
    }

    /// <summary>Opens the gate, and tells what became of the late write.</summary>
    [Event("opens")]
    public string Opens(string request)
    {
        _gate.Release();
        return _late!.Result;
    }

    /// <summary>Writes to the response that was kept, and tells what became of that.</summary>
    [Event("pokes")]
    public string Pokes(string request) => Task.Run(() => Outcome(() => _kept!.Write("LATE"u8))).Result;

    /// <summary>Waits for its request, and is no object meanwhile.</summary>
    [Event("holds")]
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask Holds(Request request, Response response)
    {
        while (await request.ReadAsync() is { } chunk)
        {
            response.Write(chunk.Span);
        }
    }

    private async Task<string> LaterAsync(Request request, Response response)
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        return Outcome(() => response.Write("LATE"u8)) + "; " + Outcome(() => request.TryRead(out _));
    }

    private static string Outcome(Action action)
    {
        try
        {
            action();
            return "taken";
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message;
        }
    }

    private static async Task<string> InnerAsync(string request)
    {
        await Task.Delay(5);
        await Task.Run(static () => Thread.Sleep(1));
        return request + "!";
    }
}
