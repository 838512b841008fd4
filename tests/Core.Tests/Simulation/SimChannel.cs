using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>A channel as the slave sees it.</summary>
internal sealed class SimChannel(ulong number, SimRequest request)
{
    public ulong Number { get; } = number;

    public SimRequest Request { get; } = request;

    /// <summary>The run of the request, counted by the model; valid once the node takes it for running.</summary>
    public int Run { get; set; } = request.Runs;

    /// <summary>The slave's handler has begun.</summary>
    public bool IsBegun { get; set; }

    /// <summary>Its handler has ended; the node has not heard of it yet.</summary>
    public bool IsOver { get; set; }

    /// <summary>The slave is kept for it.</summary>
    public bool IsAlone { get; set; } = request.IsSuspect;

    /// <summary>When the slave was told of it.</summary>
    public long OpenedMs { get; init; }

    /// <summary>The node has sent its terminal message.</summary>
    public bool NodeEnded { get; set; }

    public bool Cancelled { get; set; }

    public int RequestChunks { get; set; }

    public int AnswerChunks { get; set; }

    /// <summary>The slave has asked to hold the request: its chunks must not come.</summary>
    public bool HoldsRequest { get; set; }

    /// <summary>It goes on, and the node had kept some: until that is read and no more is kept, it comes in portions.</summary>
    public bool IsInPortions { get; set; }

    /// <summary>What came since the slave went on or has read.</summary>
    public int PortionBytes { get; set; }

    /// <summary>A piece of the request comes.</summary>
    public void TakePiece(int bytes, bool isAwaited)
    {
        if (IsInPortions && Request.IsOpen)
        {
            JobModel.Require(isAwaited && PortionBytes < EngineLimits.RequestPortionBytes, Request, "'s slave gets more before it has read the last portion");
            PortionBytes += bytes;
        }
    }

    /// <summary>The node has asked to hold the answer.</summary>
    public bool AnswerHeld { get; set; }
}
