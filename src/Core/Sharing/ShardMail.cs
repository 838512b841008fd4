namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// A message to another loop of the app. It runs there once for each sending, in the order of the sendings of one loop. The receiver may
/// send the same object on.
/// </summary>
internal abstract class ShardMail
{
    /// <summary>The transport's own object for this message, made at the first sending. Only the transport uses it.</summary>
    public object? Carrier { get; set; }

    /// <summary>The message has come; on the receiver's loop.</summary>
    public abstract void Run();
}
