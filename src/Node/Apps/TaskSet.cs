using System.Net.Sockets;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Drivers.ZeroMq;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// The drivers of an app and its monitoring socket, and their change from version to version. All steps that can fail are in
/// <see cref="Prepare"/>, which changes nothing when it fails. Lives on the app's loop.
/// </summary>
/// <param name="app">The app's name.</param>
/// <param name="parts">The parts of the app on this loop.</param>
/// <param name="askInfo">Gives the app's info, for drivers that serve it.</param>
/// <param name="askSums">Gives the sums of the app's engines, for its monitoring socket.</param>
internal sealed class TaskSet(string app, AppParts parts, Action<Action<byte[]>> askInfo, Action<Action<EngineSums>> askSums)
{
    private List<AppTask> _tasks = [];
    private readonly AppScope _scope = ScopeOf(parts);
    private string? _pubsubEndpoint;

    public IReadOnlyList<AppTask> Tasks => _tasks;

    public ZeroMqPublisher? Publisher { get; private set; }

    /// <summary>A driver has opened late: the endpoints have changed.</summary>
    public event Action? LateOpened;

    /// <summary>The endpoints that the tasks listen on.</summary>
    public IReadOnlyList<TaskEndpoint> Endpoints =>
        [.. _tasks.SelectMany(task => task.Driver.Endpoints.Select(at => new TaskEndpoint(task.Name, at)))];

    /// <summary>
    /// The tasks with drivers on each loop of the app, and where they listen. A task that opens late has its driver here alone.
    /// </summary>
    public IReadOnlyDictionary<string, HomeEndpoints> Spread => _tasks.FindAll(task => task.Driver.Spreads && task.Late is null)
        .ToDictionary(task => task.Name, task => new HomeEndpoints([.. task.Driver.Listeners!.Addresses]));

    /// <summary>Opens the new tasks of a version. Nothing has changed when the method throws.</summary>
    /// <param name="version">The version.</param>
    /// <param name="engine">The version's engine on this loop.</param>
    /// <param name="homes">On a further loop of the app: where the tasks listen.</param>
    /// <exception cref="NodeException">A driver or the monitoring socket cannot open.</exception>
    public TaskChange Prepare(AppManifest version, AppEngine engine, IReadOnlyDictionary<string, HomeEndpoints>? homes = null)
    {
        AppManifest next = version with { Tasks = [.. version.Tasks.Select(DriverRegistry.Complete)] };
        TaskChange change = new(next, engine);
        change.Outgoing.AddRange(_tasks.Where(task => !next.Tasks.Any(task.IsSameAs)));
        try
        {
            PreparePubsub(change);
            foreach (TaskManifest task in next.Tasks)
            {
                PrepareTask(change, task, homes?.GetValueOrDefault(task.Name));
            }
        }
        catch
        {
            GiveUp(change); // all new tasks open, or none
            throw;
        }

        return change;
    }

    /// <summary>The switch: new jobs of all tasks go to the next version's engine. The method cannot fail.</summary>
    public void Commit(TaskChange change)
    {
        ResultPublisher publisher = change.Publisher ?? ResultPublisher.None;
        change.Kept.ForEach(task => task.Context.SwitchTo(change.Engine, publisher));
        foreach (TaskManifest task in change.Next.Tasks)
        {
            change.Tasks.Find(kept => kept.Name == task.Name)!.Driver.Monitor.JobTimeoutMs = JobTimeoutMs(change, task);
        }

        foreach (AppTask task in change.Tasks.Except(change.Kept))
        {
            if (change.Outgoing.Find(old => old.Name == task.Name) is { } before)
            {
                task.Driver.Monitor.Continue(before.Driver.Monitor);
            }
        }

        if (change.HasOtherPublisher && change.OutgoingPublisher is { } earlier)
        {
            change.Publisher?.Continue(earlier);
        }

        change.Opened.ForEach(task => task.Driver.TakeOver());
        foreach (AppTask task in change.Outgoing)
        {
            if (!task.TryCancelLate())
            {
                task.Context.Successor = change.Tasks.Exists(other => other.Name == task.Name) ? change.Engine : null;
                task.Driver.HandOff();
            }
        }

        change.Opened.ForEach(task => task.Context.Predecessors = []);
        _tasks = change.Tasks;
        Publisher = change.Publisher;
        _pubsubEndpoint = change.Next.PubsubEndpoint;
        Publisher?.Watch(askSums);
        foreach (AppTask task in change.Late)
        {
            task.Late = new LateOpening(task.TryOpen, parts.Loop, failure => OnLateEnded(task, failure));
            if (!WaitsForClose(change, task))
            {
                task.Late.Begin();
            }
        }
    }

    /// <summary>The version before has no more jobs: the drivers that only it had close.</summary>
    public static void Finish(TaskChange change)
    {
        change.Outgoing.ForEach(task => task.Driver.Close());
        change.OutgoingPublisher?.Close(); // last, so that the results of the drivers' last jobs are still published
        foreach (AppTask task in change.Late)
        {
            if (WaitsForClose(change, task))
            {
                task.Late?.Begin();
            }
        }
    }

    /// <summary>A task's driver serves a connection that another loop has accepted; without the task, the connection is closed.</summary>
    public void Take(string task, int descriptor)
    {
        if (_tasks.Find(one => one.Name == task) is { } known)
        {
            known.Driver.Take(descriptor);
        }
        else
        {
            new SafeSocketHandle(descriptor, ownsHandle: true).Dispose();
        }
    }

    /// <summary>Other rules hold for callers.</summary>
    public void OnRulesChanged() => _tasks.ForEach(task => task.Driver.OnRulesChanged());

    /// <summary>Takes no new jobs.</summary>
    public void StopTaking()
    {
        foreach (AppTask task in _tasks)
        {
            if (!task.TryCancelLate())
            {
                task.Driver.StopTaking();
            }
        }
    }

    public void Close()
    {
        _tasks.ForEach(task => task.Driver.Close());
        Publisher?.Close(); // last, so that the results of the drivers' last jobs are still published
    }

    private void OnLateEnded(AppTask task, Exception? failure)
    {
        task.Late = null;
        if (failure is null)
        {
            LateOpened?.Invoke();
        }
        else
        {
            ReloadLog.LateOpenFailed(parts.Log, app, task.Name, failure.Message);
        }
    }

    private static AppScope ScopeOf(AppParts parts)
    {
        AppScope scope = new();
        scope.Give(() => parts.ZeroMq);
        scope.Give(() => parts.Doors);
        scope.Give(() => parts.Keeper);
        scope.Give(() => parts.Seals);
        scope.Give(() => parts.Tls);
        return scope;
    }

    private static void GiveUp(TaskChange change)
    {
        change.Opened.ForEach(task => task.Driver.Close());
        if (change.HasOtherPublisher)
        {
            change.Publisher?.Close();
        }
    }

    /// <summary>A driver of the version before holds the task's endpoint until it has closed.</summary>
    private static bool WaitsForClose(TaskChange change, AppTask task) => change.Outgoing.Exists(old =>
        task.SharesEndpointWith(old) && (task.Driver.Listeners is null || old.Driver.Listeners is null));

    private static long JobTimeoutMs(TaskChange change, TaskManifest task) => task.JobTimeoutMs ?? change.Next.Engine.JobTimeoutMs;

    private void PreparePubsub(TaskChange change)
    {
        change.Publisher = Publisher;
        string? endpoint = change.Next.PubsubEndpoint;
        if (endpoint == _pubsubEndpoint)
        {
            return;
        }

        change.HasOtherPublisher = true;
        change.OutgoingPublisher = Publisher;
        change.Publisher = null;
        if (endpoint is null)
        {
            return;
        }

        ZeroMqPublisher publisher = new(app, parts.Loop, parts.ZeroMq, parts.Log);
        try
        {
            publisher.Open(endpoint);
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            throw new NodeException($"app {app}: pubsub: {failure.Message}", failure);
        }

        change.Publisher = publisher;
    }

    private void PrepareTask(TaskChange change, TaskManifest task, HomeEndpoints? home)
    {
        if (_tasks.Find(old => old.IsSameAs(task)) is { } kept)
        {
            change.Kept.Add(kept);
            change.Tasks.Add(kept);
            return;
        }

        DriverContext context = new(task, change.Engine, parts.Loop, parts.Log, askInfo)
        {
            Home = home,
            TryHand = parts.TryHand,
            Publisher = change.Publisher ?? ResultPublisher.None,
            Predecessors = change.Outgoing.ConvertAll(old => old.Driver),
            Scope = _scope,
            Singleton = change.Next.IsOfCluster && task.RunsOnOne ? parts.Singletons(task.Name) : null,
        };
        Driver driver = DriverRegistry.Create(context, parts.CustomDrivers)
            ?? throw new NodeException($"app {app}: task {task.Name}: this build has no driver {task.DriverType}");
        driver.Monitor.JobTimeoutMs = JobTimeoutMs(change, task);
        AppTask added = new(task, context, driver);
        change.Tasks.Add(added);
        if (WaitsForClose(change, added) || (driver is CustomDriverHost && change.Outgoing.Exists(old => old.Name == task.Name)))
        {
            change.Late.Add(added);
            return;
        }

        if (added.TryOpen() is { } failure)
        {
            throw new NodeException($"app {app}: task {task.Name}: {failure.Message}", failure);
        }

        change.Opened.Add(added);
    }
}
