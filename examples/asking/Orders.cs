using System.Globalization;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Worker;

namespace Asking;

/// <summary>Adds up an order. Another app, <c>prices</c>, knows what things cost; the node's locator knows where that app is.</summary>
public sealed class Orders(AppIdentity identity) : IAsyncDisposable
{
    private readonly SemaphoreSlim _connecting = new(1);
    private CocaineClient? _prices;

    /// <summary>The request is an order such as <c>apple 3, pear 2</c>; the answer, its sum.</summary>
    [Event("total")]
    public async Task Total(Request request, Response response)
    {
        string order = Encoding.UTF8.GetString((await request.ReadAllAsync()).Span);
        decimal total = 0;
        foreach (string line in order.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            total += await PriceAsync(words[0]) * decimal.Parse(words[1], CultureInfo.InvariantCulture);
        }

        response.Write(Encoding.UTF8.GetBytes(total.ToString(CultureInfo.InvariantCulture)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_prices is not null)
        {
            await _prices.DisposeAsync();
        }

        _connecting.Dispose();
    }

    private async Task<decimal> PriceAsync(string thing)
    {
        CocaineClient prices = await ClientAsync();
        CallOptions options = new() { Deadline = TimeSpan.FromSeconds(2) };
        try
        {
            byte[] answer = await prices.CallAsync("price", Encoding.UTF8.GetBytes(thing), options);
            return decimal.Parse(Encoding.UTF8.GetString(answer), CultureInfo.InvariantCulture);
        }
        catch (ConnectionLostException)
        {
            await ForgetAsync(prices); // the app was stopped or moved: the next order asks the locator again
            throw;
        }
    }

    /// <summary>One connection serves all orders of this slave, at the same time too.</summary>
    private async Task<CocaineClient> ClientAsync()
    {
        await _connecting.WaitAsync();
        try
        {
            return _prices ??= await CocaineClient.ConnectToAppAsync("prices", identity.Locator);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task ForgetAsync(CocaineClient lost)
    {
        if (Interlocked.CompareExchange(ref _prices, null, lost) == lost)
        {
            await lost.DisposeAsync();
        }
    }
}
