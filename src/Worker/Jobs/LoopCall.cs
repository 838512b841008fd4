namespace Cocaine.Fast.Worker;

/// <summary>The requests that another thread may make of a slave's loop.</summary>
internal enum LoopCallKind
{
    /// <summary>Send a chunk.</summary>
    Write,

    /// <summary>End the answer with an error of the app's own.</summary>
    Error,

    /// <summary>End the answer.</summary>
    Close,

    /// <summary>Tell the node to go on with the request.</summary>
    GoOn,

    /// <summary>Report that the handler's task is done.</summary>
    Finish,
}

/// <summary>One request of another thread.</summary>
/// <param name="Kind">The kind of the request.</param>
/// <param name="Channel">The number of its job's channel. No other job has this number, so a call whose job has ended is dropped.</param>
/// <param name="Data">The chunk's bytes, a copy; valid in Write.</param>
/// <param name="Code">Valid in Error.</param>
/// <param name="Text">Valid in Error.</param>
/// <param name="Category">Valid in Error.</param>
internal readonly record struct LoopCall(
    LoopCallKind Kind, ulong Channel, byte[]? Data = null, int Code = 0, string? Text = null, int Category = 0);

/// <summary>Carries out a call; on the loop.</summary>
internal delegate void LoopCallHandler(in LoopCall call);
