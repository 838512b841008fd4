using System.Net;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The listeners of a serving driver. When another version of the app has the same endpoint, written in the same way, the listeners are
/// handed over: no client that connects meanwhile is turned away.
/// </summary>
internal sealed class ServingListeners(DriverContext context, Action<int> accepted)
{
    private readonly List<OpenEndpoint> _open = [];

    /// <summary>The endpoints of the listeners.</summary>
    public IReadOnlyList<string> Endpoints =>
        [.. _open.SelectMany(at => at.Listeners).Select(listener => Endpoint.Describe(listener.Address))];

    /// <summary>The bound addresses.</summary>
    public IEnumerable<EndPoint> Addresses => context.Home?.Addresses
        ?? _open.SelectMany(at => at.Listeners).Select(listener => listener.Address);

    /// <summary>The mode of Unix sockets.</summary>
    private UnixFileMode Mode => (UnixFileMode)context.Task.GetInt("mode");

    /// <summary>
    /// Binds the endpoints that no predecessor has, and claims the others. When the method throws, nothing stays bound or claimed.
    /// </summary>
    /// <exception cref="IOException">An endpoint cannot be bound.</exception>
    public void Open()
    {
        try
        {
            foreach (string text in context.Task.Endpoints)
            {
                if (FindClaimable(text) is { } claimable)
                {
                    claimable.ClaimedBy = this;
                    continue;
                }

                _open.Add(new OpenEndpoint(
                    text, Listener.Bind(context.Loop, Endpoint.Parse(text), context.Task.Backlog, Mode, accepted), Mode));
            }

            foreach (OpenEndpoint at in _open)
            {
                Open(at);
            }
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Takes over the claimed listeners.</summary>
    public void TakeOver()
    {
        foreach (ServingListeners other in Predecessors)
        {
            foreach (OpenEndpoint at in other._open.FindAll(at => at.ClaimedBy == this))
            {
                other._open.Remove(at);
                at.ClaimedBy = null;
                _open.Add(at);
                foreach (Listener listener in at.Listeners)
                {
                    listener.HandTo(accepted, context.Task.Backlog);
                }

                ApplyMode(at);
            }
        }

        List<string> order = [.. context.Task.Endpoints];
        _open.Sort((one, two) => order.IndexOf(one.Text).CompareTo(order.IndexOf(two.Text)));
    }

    /// <summary>Stops listening. Listeners that were claimed and not taken over stay with their owner.</summary>
    public void Close()
    {
        foreach (OpenEndpoint claimed in Predecessors.SelectMany(other => other._open).Where(at => at.ClaimedBy == this))
        {
            claimed.ClaimedBy = null;
        }

        foreach (Listener listener in _open.SelectMany(at => at.Listeners))
        {
            listener.Dispose();
        }

        _open.Clear();
    }

    private void Open(OpenEndpoint at)
    {
        foreach (Listener listener in at.Listeners)
        {
            listener.Open();
        }

        bool asks = context.Scope.Get(static () => Doorkeeper.OfNobody).Rules.IsOn || TlsNeeds.Of(context.Task) == DoorTls.Mutual;
        if (!asks && at.Listeners.Any(listener => !listener.IsOnThisHost))
        {
            ListeningLog.OpenToOthers(context.Log, context.Engine.Name, context.Task.Name, at.Text);
        }
    }

    /// <summary>
    /// A mode that the manifest does not change stays as it is, also when somebody has changed the socket's mode by hand. The switch cannot
    /// fail: when the file is gone, or belongs to another user, this is logged.
    /// </summary>
    private void ApplyMode(OpenEndpoint at)
    {
        if (at.Mode == Mode)
        {
            return;
        }

        at.Mode = Mode;
        try
        {
            foreach (Listener listener in at.Listeners)
            {
                listener.SetMode(Mode);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            ListeningLog.ModeStays(context.Log, context.Engine.Name, context.Task.Name, at.Text, failure.Message);
        }
    }

    private IEnumerable<ServingListeners> Predecessors =>
        context.Predecessors.Select(driver => driver.Listeners).OfType<ServingListeners>();

    private OpenEndpoint? FindClaimable(string text) =>
        Predecessors.SelectMany(other => other._open).FirstOrDefault(at => at.Text == text && at.ClaimedBy is null);

    /// <summary>An endpoint of the manifest and its listeners, one for each address.</summary>
    private sealed class OpenEndpoint(string text, IReadOnlyList<Listener> listeners, UnixFileMode mode)
    {
        public string Text { get; } = text;

        public IReadOnlyList<Listener> Listeners { get; } = listeners;

        /// <summary>The mode of the endpoint's Unix socket, from the manifest.</summary>
        public UnixFileMode Mode { get; set; } = mode;

        /// <summary>The listeners that take over the endpoint at the switch; null when there are none.</summary>
        public ServingListeners? ClaimedBy { get; set; }
    }
}
