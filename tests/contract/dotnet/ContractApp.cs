using System.Globalization;
using System.Text;
using Cocaine.Fast.Worker;

namespace Cocaine.Contract;

/// <summary>The contract app of docs/worker-protocol.md.</summary>
public sealed class ContractApp(AppIdentity context)
{
    [Event("echo")]
    public ReadOnlySpan<byte> Echo(ReadOnlySpan<byte> request) => request;

    [Event("relay")]
    public async ValueTask Relay(Request request, Response response)
    {
        while (await request.ReadAsync() is { } chunk)
        {
            await response.WriteAsync(chunk);
        }
    }

    [Event("count")]
    public async ValueTask Count(Request request, Response response)
    {
        int last = Number(await request.ReadAllAsync());
        for (int i = 0; i < last; i++)
        {
            await response.WriteAsync(Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)));
        }
    }

    [Event("raises")]
    public string Raises(string request) => throw new InvalidOperationException(request);

    [Event("raises_late")]
    public async ValueTask RaisesLate(Request request, Response response)
    {
        response.Write("first"u8);
        ReadOnlyMemory<byte> text = await request.ReadAllAsync();
        throw new InvalidOperationException(Encoding.UTF8.GetString(text.Span));
    }

    [Event("refuses")]
    public void Refuses(Request request, Response response) => response.Error(77, "mine");

    [Event("waits")]
    public async ValueTask Waits(Request request, Response response)
    {
        response.Write("waiting"u8);
        try
        {
            while (await request.ReadAsync() is not null)
            {
            }
        }
        catch (JobCancelledException by)
        {
            await Console.Error.WriteLineAsync($"waits was cancelled by [{by.Category}, {by.Code}]: {by.Reason}");
            throw;
        }

        response.Write("done"u8);
    }

    [Event("sleeps")]
    public async ValueTask Sleeps(Request request, Response response)
    {
        Thread.Sleep(Number(await request.ReadAllAsync())); // busy on purpose: the slave can do nothing else meanwhile
        response.Write("slept"u8);
    }

    [Event("prints")]
    public string Prints(string request)
    {
        Console.WriteLine(request);
        Console.Error.WriteLine(request);
        return "printed";
    }

    [Event("headers")]
    public void Headers(Request request, Response response)
    {
        foreach ((string name, byte[] value) in request.ReadHeaders())
        {
            response.Write(Encoding.UTF8.GetBytes($"{name}={Convert.ToHexStringLower(value)}\n"));
        }
    }

    [Event("whoami")]
    public void WhoAmI(Request request, Response response) =>
        response.Write(Encoding.UTF8.GetBytes($"{context.AppName} {context.Uuid} {request.Event} {context.Version}"));

    // What every SDK can: the table of docs/languages.md.

    [Event("body")]
    public async ValueTask Body(Request request, Response response) => response.Write((await request.ReadAllAsync()).Span);

    [Event("header")]
    public async ValueTask Header(Request request, Response response) =>
        response.Write(request.Header(Encoding.UTF8.GetString((await request.ReadAllAsync()).Span)) ?? "none"u8);

    [Event("ids")]
    public void Ids(Request request, Response response) =>
        response.Write(Encoding.UTF8.GetBytes($"{request.TraceId} {request.SpanId} {request.ParentId}"));

    [Event("category")]
    public void Category(Request request, Response response) => response.Error(78, "own category", 43);

    [Event("cancelled")]
    public async ValueTask Cancelled(Request request, Response response)
    {
        response.Write("waiting"u8);
        while (!request.IsCancelled)
        {
            await Task.Delay(1);
        }

        await Console.Error.WriteLineAsync("cancelled was seen");
    }

    private static int Number(ReadOnlyMemory<byte> text) => int.Parse(Encoding.UTF8.GetString(text.Span), CultureInfo.InvariantCulture);
}
