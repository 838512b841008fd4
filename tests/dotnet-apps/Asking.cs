using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>Calls other apps with the client library.</summary>
public sealed class Asking(AppIdentity identity) : IAsyncDisposable
{
    private readonly Dictionary<string, Task<CocaineClient>> _clients = [];

    /// <summary>The request is the endpoint or the name, the event and the text of the other call, with a line feed between them.</summary>
    [Event("ask")]
    public async Task Ask(Request request, Response response)
    {
        string[] parts = Encoding.UTF8.GetString((await request.ReadAllAsync()).Span).Split('\n');
        CocaineClient client = await ClientOf(parts[0]);
        response.Write(await client.CallAsync(parts[1], Encoding.UTF8.GetBytes(parts[2])));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Task<CocaineClient> client in _clients.Values)
        {
            await (await client).DisposeAsync();
        }
    }

    private Task<CocaineClient> ClientOf(string endpoint)
    {
        lock (_clients)
        {
            return _clients.TryGetValue(endpoint, out Task<CocaineClient>? known) ? known
                : _clients[endpoint] = endpoint.Contains(':') ? CocaineClient.ConnectAsync(endpoint)
                : CocaineClient.ConnectToAppAsync(endpoint, identity.Locator);
        }
    }
}
