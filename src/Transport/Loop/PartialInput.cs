namespace Cocaine.Fast.Transport.Loop;

/// <summary>The reason why a loop does not keep the beginning of a message any longer.</summary>
internal enum PartialFault
{
    /// <summary>No byte of the message came for a while.</summary>
    Stalled,

    /// <summary>The loop holds too many bytes of unfinished messages, and this one has the most.</summary>
    TooManyBytes,
}

/// <summary>
/// The bytes of a connection that are not a whole message yet, as <see cref="PartialMessages"/> counts them. The owner keeps one object for
/// its whole life, so counting allocates nothing.
/// </summary>
internal abstract class PartialInput
{
    /// <summary>The neighbours in a list of <see cref="PartialMessages"/>. Valid while <see cref="List"/> is not -1.</summary>
    internal PartialInput? Next, Previous;

    /// <summary>The list; -1 when the input is in none. Only <see cref="PartialMessages"/> uses it.</summary>
    internal int List = -1;

    /// <summary>The time of the newest byte, ms of the loop's listened time. Valid while <see cref="HeldBytes"/> is not 0.</summary>
    internal long ProgressMs;

    /// <summary>The bytes that are counted now.</summary>
    public long HeldBytes { get; internal set; }

    /// <summary>Nobody else uses the block any more into which the owner would receive next, and in which it has no bytes.</summary>
    public virtual void OnTailAlone()
    {
    }

    /// <summary>The owner must give the bytes up now. They are not counted any more.</summary>
    public abstract void OnRefused(PartialFault fault);
}
