using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Node.Shards;

namespace Cocaine.Fast.Node.Apps;

/// <summary>The apps that a node runs, each name once. From any thread.</summary>
/// <param name="factory">Makes the apps, under the lock of this list.</param>
internal sealed class NodeApps(AppFactory factory)
{
    private readonly List<RunningApp> _apps = [];
    private readonly Lock _lock = new();

    public IReadOnlyList<RunningApp> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _apps];
            }
        }
    }

    /// <summary>The app with this name, or null.</summary>
    public RunningApp? Find(string name) => All.FirstOrDefault(app => app.Name == name);

    /// <exception cref="NodeException">No such app runs (404).</exception>
    public RunningApp Get(string name) => Find(name) ?? throw Missing(name);

    /// <summary>The text about an app that does not run here.</summary>
    public NodeException Missing(string name) =>
        new($"no app {PlainText.OneLine(name)} runs here{ProblemList.Nearest(name, All.Select(app => app.Name))}")
        {
            Code = ErrorCodes.NotFound,
        };

    /// <summary>Makes an app; the app is not started yet.</summary>
    /// <exception cref="NodeException">An app with this name runs already, or the app's slaves cannot run.</exception>
    public RunningApp Add(AppManifest manifest)
    {
        lock (_lock)
        {
            if (_apps.Exists(other => other.Name == manifest.Name))
            {
                throw new NodeException($"app {manifest.Name} runs already: replace it, or delete it first")
                {
                    Code = ErrorCodes.BadRequest,
                };
            }

            RunningApp app = factory.Create(manifest);
            _apps.Add(app);
            return app;
        }
    }

    /// <summary>The app has ended, or could not be started.</summary>
    public void Remove(RunningApp app)
    {
        lock (_lock)
        {
            _apps.Remove(app);
        }
    }

    /// <summary>The loops and backends of another version of an app.</summary>
    /// <exception cref="NodeException">The slaves cannot run.</exception>
    public IReadOnlyList<LoopBackend> BackendsFor(AppManifest next, RunningApp app)
    {
        lock (_lock)
        {
            return factory.BackendsFor(next, app.Loop, app.Journal);
        }
    }
}
