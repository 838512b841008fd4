using Cocaine.Fast.Core.Sharing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Shards;

/// <summary>Carries a message of a shard to the loop of another one. The carrier goes with the message when that is sent again.</summary>
internal sealed class LoopMail(ShardMail mail) : LoopWork
{
    /// <summary>The way to a loop.</summary>
    public static Action<ShardMail> To(EventLoop loop) => mail => loop.Post((LoopMail)(mail.Carrier ??= new LoopMail(mail)));

    public override void Run() => mail.Run();
}
