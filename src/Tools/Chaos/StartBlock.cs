using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>While this object lives, every process that the node starts is killed at once: no worker comes up.</summary>
internal sealed class StartBlock : IDisposable
{
    /// <summary>Much less than the time that a worker needs until it is ready.</summary>
    private const int LookMs = 1;

    private readonly int _node;
    private readonly HashSet<int> _seen;
    private readonly Thread _thread;
    private volatile bool _over;

    public StartBlock(NodeProcess node)
    {
        _node = node.Id;
        _seen = [.. ProcessTable.ChildIds(_node)];
        _thread = new Thread(Watch) { IsBackground = true, Name = "chaos-start-block" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _over = true;
        _thread.Join();
    }

    private void Watch()
    {
        while (!_over)
        {
            foreach (int child in ProcessTable.ChildIds(_node).Where(_seen.Add))
            {
                _ = LibC.kill(child, NodeProcess.Kill);
            }

            Thread.Sleep(LookMs);
        }
    }
}
