using Cocaine.Fast.Backends.Isolation;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Certificates;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Locator;
using Cocaine.Fast.Node.PublicServices;
using Cocaine.Fast.Node.Quarantine;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Tls;
using Cocaine.Fast.Transport.Trust;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node;

/// <summary>The doors that belong to a node itself, and the rules of all of its doors.</summary>
internal sealed class NodeDoors
{
    /// <summary>The file of the state folder with the openings of sealed sessions that were used.</summary>
    private const string UsedOpenings = "used-openings";

    private readonly NodeOptions _options;
    private readonly ILogger _log;
    private LocatorService? _locator;
    private volatile LocatorMembers? _members;
    private NodeService? _service;

    public NodeDoors(NodeOptions options, Feed<NodeEvent> events, ILogger log)
    {
        _options = options;
        _log = log;
        AppJournal audit = new("", options.LoggerFactory.CreateLogger("audit"), events);
        Keeper = new Doorkeeper(audit, NodeClock.Instance, Account.NumberOf);
        Certificates = new NodeCertificates(options.Security.Tls, log, Keeper.Audit);
        Quarantine = new QuarantineSeal(options.Security.QuarantineTo, () => Seals.Gate?.Keys)
        {
            SecretHeaders = () => Keeper.Rules.SecretHeaders,
        };
        UseRules(options.Security);
    }

    /// <summary>Lines that the log has lost.</summary>
    public long LogLinesLost => (_options.LoggerFactory as ILogLosses)?.Lost ?? 0;

    /// <summary>The node's TLS.</summary>
    public NodeCertificates Certificates { get; }

    /// <summary>The rules and the audit.</summary>
    public Doorkeeper Keeper { get; }

    /// <summary>The sealed jobs.</summary>
    public NodeSeals Seals { get; } = new();

    /// <summary>Seals jobs of the quarantine.</summary>
    public QuarantineSeal Quarantine { get; }

    /// <summary>The nodes of the cluster, for the locator; null for a node alone. From any thread.</summary>
    public LocatorMembers? Members { get => _members; set => _members = value; }

    /// <summary>The endpoints of the locator; empty without a locator.</summary>
    public IReadOnlyList<string> LocatorEndpoints => _locator?.Endpoints ?? [];

    /// <summary>The endpoints of the service <c>node</c>; empty without it.</summary>
    public IReadOnlyList<string> ServiceEndpoints => _service?.Endpoints ?? [];

    /// <summary>Clients of the locator that are connected.</summary>
    public int LocatorConnections => _locator?.Connections ?? 0;

    /// <summary>Reads the keys of sealed jobs, if the options name any.</summary>
    /// <exception cref="NodeException">A key is not as it should be.</exception>
    public void ReadKeys()
    {
        if (_options.OwnsProcess && (_options.KeysDirectory is not null || _options.Security.Tls is not null))
        {
            OwnMemory.Close(); // before any key is read
        }

        try
        {
            if (_options.KeysDirectory is { } keys)
            {
                string? used = _options.StateDirectory is { Length: > 0 } state ? Path.Combine(state, UsedOpenings) : null;
                Seals.Start(keys, used, _log, TimeProvider.System);
                if (Quarantine.Missing is { } name)
                {
                    throw new IOException($"security.quarantine-to: {keys} has no {name}.pub");
                }
            }
        }
        catch (IOException failure)
        {
            throw new NodeException($"the keys of sealed jobs: {failure.Message}", failure);
        }
    }

    /// <summary>Opens the doors that the options name.</summary>
    /// <param name="loop">The loop of these doors.</param>
    /// <param name="apps">Gives the apps that run now.</param>
    /// <param name="pause">Makes an app take no more jobs (true), or jobs again.</param>
    /// <exception cref="NodeException">An endpoint cannot be used.</exception>
    public void Open(EventLoop loop, Func<IReadOnlyList<RunningApp>> apps, Func<string, bool, Task> pause)
    {
        if (_options.NodeService is { } control)
        {
            _service = new NodeService(apps, pause, loop, Keeper, _log);
            Open(loop, "the service node", () => _service.Open(control));
        }

        if (_options.Locator is { } endpoint)
        {
            (DoorTls, TlsDoors?) tls = (_options.LocatorTls, Certificates.Tls.Doors);
            _locator = new LocatorService(apps, loop, Keeper, _log) { NodeService = _service, Tls = tls, Members = () => _members };
            Open(loop, "the locator", () => _locator.Open(endpoint));
        }
    }

    /// <summary>Other rules hold for all doors from now on; nothing changes when there are none, and were none.</summary>
    public void UseRules(SecurityConfig rules)
    {
        if (rules.HasRules || Keeper.Rules.IsOn)
        {
            Keeper.Use(rules);
        }
    }

    /// <summary>
    /// The same while the node runs: connections of callers that have lost their identity end. Completes when each loop has done so.
    /// </summary>
    /// <param name="rules">The rules.</param>
    /// <param name="loop">The loop of the node's own doors.</param>
    /// <param name="apps">The apps that run.</param>
    public async Task ChangeRulesAsync(SecurityConfig rules, EventLoop loop, IReadOnlyList<RunningApp> apps)
    {
        UseRules(rules);
        foreach (RunningApp app in apps)
        {
            await app.OnLoopsAsync(() => app.Shards.OnEach(static shard => shard.Tasks.OnRulesChanged()));
        }

        await loop.RunAsync(() =>
        {
            _locator?.OnRulesChanged();
            _service?.OnRulesChanged();
        });
    }

    private static void Open(EventLoop loop, string door, Action open)
    {
        try
        {
            loop.RunAsync(open).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            throw new NodeException($"{door}: {failure.Message}; choose another endpoint, or none", failure);
        }
    }
}
