using System.Text.Json;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Transport.Loop;
using MessagePack;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node;

/// <summary>Where a task of an app listens.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Endpoint">As clients write it: <c>tcp://127.0.0.1:9100</c>, <c>ipc:///path</c>.</param>
public sealed record TaskEndpoint(string Task, string Endpoint);

/// <summary>An app that a node runs.</summary>
public sealed class RunningApp
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EventLoop _loop;
    private readonly List<Driver> _drivers = [];
    private readonly List<NativeServer> _nativeServers = [];
    private readonly ILogger _log;
    private readonly Func<ZeroMqPoller> _zeroMq;
    private ZeroMqPublisher? _publisher;

    internal RunningApp(AppManifest manifest, EventLoop loop, Func<ZeroMqPoller> zeroMq, ILogger log)
    {
        Manifest = manifest;
        _loop = loop;
        _zeroMq = zeroMq;
        _log = log;
    }

    /// <summary>The app's name.</summary>
    public string Name => Manifest.Name;

    /// <summary>What it was made from.</summary>
    public AppManifest Manifest { get; }

    /// <summary>Where its tasks listen.</summary>
    public IReadOnlyList<TaskEndpoint> Endpoints { get; private set; } = [];

    /// <summary>Where its monitoring socket listens; empty when it has none.</summary>
    public IReadOnlyList<string> PubsubEndpoints => _publisher?.Endpoints ?? [];

    /// <summary>
    /// Completes when the first slave is ready; fails with a <see cref="NodeException"/> when the app is broken: three starts in a row
    /// failed. A broken app answers 500 and goes on
    /// trying.
    /// </summary>
    public Task Ready => _ready.Task;

    internal AppEngine Engine { get; private set; } = null!;

    internal IReadOnlyList<Driver> Drivers => _drivers;

    /// <summary>The app's state as JSON, as <c>info</c> gives it.</summary>
    public Task<string> InfoJsonAsync()
    {
        TaskCompletionSource<string> info = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() => info.SetResult(InfoJson()));
        return info.Task;
    }

    /// <summary>Opens drivers and launches the first slaves; on the loop.</summary>
    internal void Start(ISlaveBackend backend, IReadOnlyDictionary<string, Func<CustomDriver>> customDrivers)
    {
        Engine = new AppEngine(Name, Manifest.Engine, _loop, backend, _log);
        Engine.SlaveReady += () => _ready.TrySetResult();
        Engine.Broken += cause => _ready.TrySetException(new NodeException($"app {Name} is broken: {cause}"));
        try
        {
            OpenPubsub();
            foreach (TaskManifest task in Manifest.Tasks)
            {
                OpenDriver(task, customDrivers);
            }
        }
        catch
        {
            CloseAll(); // none starts half
            throw;
        }

        Endpoints = [.. Manifest.Tasks.Zip(_drivers).SelectMany(pair =>
            pair.Second.Endpoints.Select(at => new TaskEndpoint(pair.First.Name, at)))];
        _publisher?.Watch(Engine, _drivers.ConvertAll(driver => driver.Monitor));
        Engine.Start();
    }

    /// <summary>Takes no more jobs, finishes the others, ends the slaves.</summary>
    internal Task DrainAsync()
    {
        _loop.Post(() =>
        {
            _drivers.ForEach(driver => driver.StopTaking());
            Engine.Drain(() =>
            {
                CloseAll();
                _stopped.TrySetResult();
            });
        });
        return _stopped.Task;
    }

    /// <summary>Ends at once.</summary>
    internal void StopNow(string reason) => _loop.Post(() => Engine.StopNow(reason));

    private void OpenPubsub()
    {
        if (Manifest.PubsubEndpoint is not { } endpoint)
        {
            return;
        }

        ZeroMqPublisher publisher = new(Name, _loop, _zeroMq(), _log);
        try
        {
            publisher.Open(endpoint);
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            throw new NodeException($"app {Name}: pubsub: {failure.Message}", failure);
        }

        _publisher = publisher;
    }

    private void OpenDriver(TaskManifest task, IReadOnlyDictionary<string, Func<CustomDriver>> customDrivers)
    {
        DriverContext context = new(task, Engine, _loop, _log, InfoMap)
        {
            Publisher = _publisher ?? ResultPublisher.None,
            ZeroMq = _zeroMq,
            Siblings = _nativeServers,
        };
        Driver driver = DriverRegistry.Create(context, customDrivers)
            ?? throw new NodeException($"app {Name}: task {task.Name}: this build has no driver {task.DriverType}");
        try
        {
            driver.Open();
        }
        catch (Exception failure) when (failure is IOException or FormatException or KeyNotFoundException or InvalidCastException)
        {
            throw new NodeException($"app {Name}: task {task.Name}: {failure.Message}", failure);
        }

        _drivers.Add(driver);
    }

    private void CloseAll()
    {
        _drivers.ForEach(driver => driver.Close());
        _publisher?.Close(); // last: what the drivers' last jobs gave is still published
    }

    private byte[] InfoMap() => MessagePackSerializer.ConvertFromJson(InfoJson());

    private string InfoJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            AppInfo.Write(writer, Manifest, Engine, Manifest.Tasks.Zip(_drivers), _publisher, _loop);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}
