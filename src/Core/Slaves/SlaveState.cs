namespace Cocaine.Fast.Core.Slaves;

/// <summary>Where a slave is: <c>starting → idle ⇄ busy → draining → dead</c>.</summary>
internal enum SlaveState
{
    /// <summary>Launched; its code is not loaded yet.</summary>
    Starting,

    /// <summary>Ready, without a job.</summary>
    Idle,

    /// <summary>Has one job or more.</summary>
    Busy,

    /// <summary>Was told to terminate; gets no more jobs.</summary>
    Draining,

    /// <summary>Gone.</summary>
    Dead,
}
