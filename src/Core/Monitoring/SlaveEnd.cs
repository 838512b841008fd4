namespace Cocaine.Fast.Core.Monitoring;

/// <summary>Why a slave ended.</summary>
internal enum SlaveEnd
{
    /// <summary>The slave ended by itself.</summary>
    Exit,

    /// <summary>A signal ended the slave, and the node had not sent it.</summary>
    Signal,

    /// <summary>The slave was silent for its heartbeat-timeout.</summary>
    Silent,

    /// <summary>A job did not answer its cancel.</summary>
    Hung,

    /// <summary>The slave broke the protocol or its pipe.</summary>
    Protocol,

    /// <summary>The slave was never ready.</summary>
    Start,

    /// <summary>The slave was worn.</summary>
    Recycled,

    /// <summary>The pool needs fewer slaves.</summary>
    Scaled,

    /// <summary>The version or the node ends.</summary>
    Stopped,
}
