using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node;

/// <summary>The event loops of a node; apps are spread over them.</summary>
internal sealed class NodeLoops(NodeOptions options, ILogger log) : IDisposable
{
    private readonly List<EventLoop> _loops = [];
    private int _next;

    public int Count => _loops.Count;

    /// <summary>A loop for what belongs to no app.</summary>
    public EventLoop First => _loops[0];

    public void Start()
    {
        int loops = options.Loops > 0 ? options.Loops : Math.Max(1, Environment.ProcessorCount / 2);
        for (int i = 0; i < loops; i++)
        {
            EventLoop loop = new(log, options.LoopSpinMicroseconds);
            _loops.Add(loop);
            loop.Start($"loop-{i}");
        }
    }

    /// <summary>The loop for another app, each in its turn. Under the node's lock.</summary>
    public EventLoop Next() => _loops[_next++ % _loops.Count];

    /// <summary>Completes when every loop has come to it: one that is stuck in a handler does not.</summary>
    public Task PingAsync() => Task.WhenAll(_loops.ConvertAll(loop => loop.RunAsync(static () => { })));

    public void Dispose()
    {
        foreach (EventLoop loop in _loops)
        {
            loop.Dispose();
        }
    }
}
