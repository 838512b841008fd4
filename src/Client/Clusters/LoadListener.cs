using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>
/// Asks the node of a connection for its load, and hears of the connection's end. A node that does not know the question refuses it, and
/// the client's own calls alone count there.
/// </summary>
/// <param name="nodes">Hears the news.</param>
/// <param name="link">The node.</param>
/// <param name="number">The connection's number.</param>
/// <param name="connection">The connection.</param>
internal sealed class LoadListener(NodeSet nodes, ClusterLink link, int number, ClientConnection connection) : LoopWork, IChannelOwner
{
    private const byte OneHeader = 0x91;
    private const byte Load = 2; // the method of an app's door, as docs/protocol.md numbers it

    /// <inheritdoc/>
    public override void Run()
    {
        if (connection.Ended is { } reason)
        {
            nodes.OnEnded(link, number, reason);
            return;
        }

        connection.WhenEnded = () => nodes.OnEnded(link, number, connection.Ended!);
        byte[] headers = connection.Credential.Length == 0 ? [] : [OneHeader, .. connection.Credential];
        MessageWriter.WriteEmpty(connection.Output, connection.NextChannel, Load, headers);
        connection.Open(this, isCall: false);
        connection.ScheduleSend();
    }

    /// <inheritdoc/>
    public void OnChunk(in MessageView message)
    {
        if (LoadNews.TryRead(message.Arguments, out LoadNews news))
        {
            nodes.OnNews(link, number, in news);
        }
    }

    /// <inheritdoc/>
    public void OnClosed()
    {
    }

    /// <inheritdoc/>
    public void OnError(CocaineException error)
    {
    }

    /// <inheritdoc/>
    public void OnLost(string reason)
    {
    }
}
