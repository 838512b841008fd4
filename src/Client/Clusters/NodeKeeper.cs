using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>
/// Keeps a client connected to the nodes of an app: asks the locators where they are, each ten seconds and at once when one is lost, and
/// connects again.
/// </summary>
/// <param name="app">The app.</param>
/// <param name="options">The client's settings.</param>
/// <param name="nodes">The nodes.</param>
internal sealed class NodeKeeper(string app, ClusterOptions options, NodeSet nodes)
{
    private readonly CancellationTokenSource _over = new();
    private readonly SemaphoreSlim _wish = new(0, 1);
    private readonly KnownNodes _known = new(); // only one listing at a time
    private readonly string?[] _locators = options.Locators.Count == 0 ? [null] : [.. options.Locators];
    private Task _tasks = Task.CompletedTask;
    private int _first; // the locator that is asked next

    /// <summary>Finds the nodes and connects to one at least.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        _first = Random.Shared.Next(_locators.Length); // clients with one list do not all ask one locator
        await ListAsync(cancellation).ConfigureAwait(false);
        Task all = Task.WhenAll(nodes.TakeDue(long.MaxValue).Select(ConnectAsync));
        await Task.WhenAny(all, nodes.Some).WaitAsync(cancellation).ConfigureAwait(false);
        await Task.WhenAny(all, Task.Delay(ChoiceLimits.OthersMs, cancellation)).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        if (!nodes.Some.IsCompleted)
        {
            throw new ConnectionLostException(nodes.NoNode());
        }

        nodes.OnLost = Wish;
        _tasks = Task.WhenAll(Task.Run(KeepListedAsync, CancellationToken.None), Task.Run(LookAsync, CancellationToken.None));
    }

    /// <summary>Ends everything.</summary>
    public async Task StopAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await _tasks.ConfigureAwait(false);
        foreach (CocaineClient client in nodes.TakeUnused(all: true))
        {
            await client.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Wish()
    {
        if (_wish.CurrentCount == 0) // the set's lock is held: nobody else releases
        {
            _wish.Release();
        }
    }

    private async Task KeepListedAsync()
    {
        try
        {
            while (true)
            {
                await _wish.WaitAsync(ChoiceLimits.ListMs, _over.Token).ConfigureAwait(false);
                await TryListAsync().ConfigureAwait(false);
                await Task.Delay(ChoiceLimits.LeastListMs, _over.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // the client is at its end
        }
    }

    private async Task TryListAsync()
    {
        try
        {
            await ListAsync(_over.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or CocaineException or FormatException)
        {
            // The nodes that are known stay, and a call that finds none says so; the next question comes in ten seconds.
        }
    }

    /// <summary>Asks one locator after the other until one knows the app.</summary>
    private async Task ListAsync(CancellationToken cancellation)
    {
        for (int asked = 1; ; asked++)
        {
            try
            {
                string? locator = _locators[(_first++ & int.MaxValue) % _locators.Length]; // another one each time: each has its own view
                _known.OnListed(await AppLocator.FindAsync(app, locator, options.Connection, cancellation).ConfigureAwait(false));
                nodes.Want(_known.Wanted);
                return;
            }
            catch (Exception failure) when (asked < _locators.Length && failure is IOException or CocaineException)
            {
                // the failure of the last one is told
            }
        }
    }

    private async Task LookAsync()
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(ChoiceLimits.LookMs));
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token).ConfigureAwait(false))
            {
                long nowNs = Clock.NowNs;
                nodes.TellSilent(nowNs);
                foreach (ClusterLink link in nodes.TakeDue(nowNs))
                {
                    _ = ConnectAsync(link); // it never fails, and the link knows that it is under way
                }

                foreach (CocaineClient client in nodes.TakeUnused())
                {
                    await client.DisposeAsync().ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the client is at its end
        }
    }

    private async Task ConnectAsync(ClusterLink link)
    {
        try
        {
            CocaineClient client = await CocaineClient.ConnectAsync(link.Endpoint, options.Connection, _over.Token).ConfigureAwait(false);
            if (nodes.OnConnected(link, client) is { } number)
            {
                client.Loop.Post(new LoadListener(nodes, link, number, client.Connection));
            }
            else
            {
                await client.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception failure) // whatever it is: the next attempt comes after a pause, and people find the reason in the list
        {
            nodes.OnNotConnected(link, failure.Message);
        }
    }
}
