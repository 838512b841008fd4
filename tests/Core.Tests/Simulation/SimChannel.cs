using Cocaine.Fast.Core.Engine;

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
    public bool HoldsRequest { get; private set; }

    /// <summary>It goes on, and the node had kept some: until that is read and no more is kept, it comes in portions.</summary>
    public bool IsInPortions { get; private set; }

    /// <summary>When it asked to hold the request; valid while it does.</summary>
    public long HeldMs { get; private set; }

    /// <summary>Bytes that it gets at once; valid in portions.</summary>
    public int PortionLimit { get; private set; }

    /// <summary>Bytes that came since the slave went on or has read.</summary>
    public int PortionBytes { get; private set; }

    /// <summary>More is kept, and waits until it has read.</summary>
    public bool AwaitsRead => IsInPortions && !HoldsRequest && !NodeEnded && Request.IsOpen && PortionBytes >= PortionLimit && IsAnyKept;

    private bool IsAnyKept => Request.SentChunks > RequestChunks;

    /// <summary>It asks to hold the request, or to go on.</summary>
    public void OnFlow(bool holds, long nowMs)
    {
        if (HoldsRequest && !holds)
        {
            IsInPortions |= Request.IsOpen && IsAnyKept;
            PortionBytes = 0;
            PortionLimit = RequestFlow.PortionOf((nowMs - HeldMs) * 1_000_000);
        }

        HeldMs = HoldsRequest ? HeldMs : nowMs;
        HoldsRequest = holds;
    }

    /// <summary>It has read all.</summary>
    public void OnRead()
    {
        PortionBytes = 0;
        IsInPortions &= IsAnyKept;
    }

    /// <summary>Where a portion had room for more, the rest comes as it is sent.</summary>
    public void EndPortion() => IsInPortions &= PortionBytes >= PortionLimit || IsAnyKept;

    /// <summary>A piece of the request comes.</summary>
    public void TakePiece(int bytes, bool isAwaited)
    {
        if (IsInPortions && Request.IsOpen)
        {
            JobModel.Require(isAwaited && PortionBytes < PortionLimit, Request, "'s slave gets more before it has read the last portion");
            PortionBytes += bytes;
        }
    }

    /// <summary>The node has asked to hold the answer.</summary>
    public bool AnswerHeld { get; set; }
}
