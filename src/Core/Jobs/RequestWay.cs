namespace Cocaine.Fast.Core.Jobs;

/// <summary>How the rest of a request goes to the slave that runs the job.</summary>
internal enum RequestWay
{
    /// <summary>As it comes.</summary>
    Open,

    /// <summary>Not at all: the worker has asked to hold it. The node keeps it.</summary>
    Held,

    /// <summary>
    /// In portions: the worker goes on, and the node has kept some. The next portion goes when the worker has read the last one. So a
    /// worker that asks to hold again gets little more, however much was kept.
    /// </summary>
    Portions,
}
