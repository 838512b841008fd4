namespace Cocaine.Fast.Core.Slaves;

/// <summary>Where a slave is: <c>starting → idle ⇄ busy → draining → dead</c>.</summary>
internal enum SlaveState
{
    /// <summary>The slave is launched; its code is not loaded yet.</summary>
    Starting,

    /// <summary>The slave is ready and has no job.</summary>
    Idle,

    /// <summary>The slave has one job or more.</summary>
    Busy,

    /// <summary>The slave was told to end; it gets no more jobs.</summary>
    Draining,

    /// <summary>The slave is gone.</summary>
    Dead,
}
