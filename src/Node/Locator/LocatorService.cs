using System.Net;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Locator;

/// <summary>The locator: tells clients the addresses of an app, or of one task of it. Section "Locator" of docs/protocol.md.</summary>
/// <param name="apps">Gives the apps that are running now.</param>
/// <param name="loop">The loop that the locator lives on.</param>
/// <param name="log">The node's log.</param>
internal sealed class LocatorService(Func<IReadOnlyList<RunningApp>> apps, EventLoop loop, ILogger log)
{
    private const int Backlog = 128;

    private readonly List<Listener> _listeners = [];

    /// <summary>The name of this node in a cluster.</summary>
    public string Uuid { get; } = Guid.NewGuid().ToString();

    public IReadOnlyList<string> Endpoints => _listeners.ConvertAll(listener => Endpoint.Describe(listener.Address));

    public ILogger Log => log;

    /// <summary>Binds and begins to answer; on the loop.</summary>
    public void Open(string endpoint)
    {
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _listeners.AddRange(Listener.Bind(loop, Endpoint.Parse(endpoint), Backlog, mode, descriptor =>
            new LocatorConnection(this, loop, descriptor).Open()));
        _listeners.ForEach(listener => listener.Open());
    }

    /// <summary>
    /// The addresses of <c>app</c> or <c>app/task</c> for a client that reached the node at <paramref name="reached"/>, the best first;
    /// empty when there is none. Clients of the locator speak docs/protocol.md only. Any native-server of an app also serves the events of
    /// the app's servers that listen on the same address: so the best address for the app is the one that most of them share.
    /// </summary>
    public IReadOnlyList<IPEndPoint> Resolve(string name, IPAddress reached)
    {
        string[] parts = name.Split('/', 2);
        RunningApp? app = apps().FirstOrDefault(app => app.Name == parts[0]);
        if (app is null)
        {
            return [];
        }

        List<(string Task, IPEndPoint At)> found = [];
        foreach (TaskEndpoint endpoint in app.Endpoints)
        {
            TaskManifest task = app.Manifest.Tasks.First(task => task.Name == endpoint.Task);
            if ((parts.Length == 1 ? DriverRegistry.ServesNative(task) : task.Name == parts[1] && DriverRegistry.SpeaksNative(task))
                && endpoint.Endpoint.StartsWith("tcp://", StringComparison.Ordinal)
                && IPEndPoint.TryParse(endpoint.Endpoint["tcp://".Length..], out IPEndPoint? at))
            {
                bool any = at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any);
                found.Add((task.Name, any ? new IPEndPoint(reached, at.Port) : at));
            }
        }

        ILookup<IPAddress, string> tasks = found.ToLookup(one => one.At.Address, one => one.Task);
        return [.. found.Select(one => one.At).OrderByDescending(at => tasks[at.Address].Distinct().Count())
            .ThenByDescending(at => at.Address.Equals(reached))];
    }

    /// <summary>
    /// The text for a client that asks for an unknown name. It has at most the nearest name, since a list would tell any peer which apps
    /// the node runs.
    /// </summary>
    public string NoService(string name)
    {
        const int LongestName = 64; // of an app
        string near = name.Length <= LongestName ? ProblemList.Nearest(name, apps().Select(app => app.Name)) : "";
        return $"no service named {JsonPath.Shown(name)} here{near}";
    }

    /// <summary>An address of this node for its peers.</summary>
    public IPEndPoint Own(IPAddress reached) => new(reached, _listeners.Count > 0 && _listeners[0].Address is IPEndPoint at ? at.Port : 0);
}

/// <summary>One client of the locator.</summary>
internal sealed class LocatorConnection(LocatorService locator, EventLoop loop, int descriptor)
    : MessageConnection(loop, descriptor, ProtocolLimits.Default)
{
    private const int Resolve = 0, Cluster = 3, Uuid = 6;
    private ulong _highestChannel;

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        ulong channel = layout.Channel;
        if (channel <= _highestChannel)
        {
            return; // late: every answer of the locator is terminal
        }

        _highestChannel = channel;
        LocatorAnswer answer = new();
        switch (layout.Type)
        {
            case Resolve when layout.Shape == ArgumentShape.Data:
                string name = System.Text.Encoding.UTF8.GetString(message.ShortData);
                IReadOnlyList<IPEndPoint> found = locator.Resolve(name, SocketNames.Local(Descriptor));
                if (found.Count == 0)
                {
                    MessageWriter.WriteError(Output, channel, ErrorCodes.LocatorCategory, ErrorCodes.LocatorNotFound,
                        locator.NoService(name));
                    break;
                }

                MessageWriter.WriteArguments(Output, channel, answer.Resolved(found));
                break;
            case Cluster:
                MessageWriter.WriteArguments(Output, channel, answer.Cluster(locator.Uuid, locator.Own(SocketNames.Local(Descriptor))));
                break;
            case Uuid:
                MessageWriter.WriteArguments(Output, channel, answer.Text(locator.Uuid));
                break;
            default:
                MessageWriter.WriteError(
                    Output, channel, ErrorCodes.Category, ErrorCodes.BadRequest,
                        "the locator has the methods 0 (resolve), 3 (cluster) and 6 (uuid)");
                break;
        }

        ScheduleSend();
    }

    protected override void OnMalformed(ulong? channel, int code, string problem)
    {
        if (channel is { } known)
        {
            MessageWriter.WriteError(Output, known, ErrorCodes.Category, code, problem);
        }
    }

    protected override void OnClosed(string reason)
    {
    }
}
