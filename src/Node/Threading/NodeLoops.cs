using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Threading;

/// <summary>The event loops of a node, which share the apps.</summary>
/// <param name="wanted">The number of loops; 0 = half of the cores, at least 1.</param>
/// <param name="spinMicroseconds">How long a loop looks for work before it sleeps, µs.</param>
/// <param name="log">The node's log.</param>
internal sealed class NodeLoops(int wanted, int spinMicroseconds, ILogger log) : IDisposable
{
    private readonly List<EventLoop> _loops = [];
    private int _next;

    public int Count => _loops.Count;

    /// <summary>A loop for parts that belong to no app.</summary>
    public EventLoop First => _loops[0];

    public void Start()
    {
        int loops = wanted > 0 ? wanted : Math.Max(1, Environment.ProcessorCount / 2);
        for (int i = 0; i < loops; i++)
        {
            EventLoop loop = new(log, spinMicroseconds);
            _loops.Add(loop);
            loop.Start($"loop-{i}");
        }
    }

    /// <summary>The loop for the next app; loops take turns. Under the node's lock.</summary>
    public EventLoop Next() => _loops[_next++ % _loops.Count];

    /// <summary>Completes when every loop has run it: a loop that is stuck in a handler does not.</summary>
    public Task PingAsync() => Task.WhenAll(_loops.ConvertAll(loop => loop.RunAsync(static () => { })));

    public void Dispose()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }
    }
}
