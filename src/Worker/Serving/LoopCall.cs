namespace Cocaine.Fast.Worker.Serving;

/// <summary>The requests that another thread may make of a slave's loop.</summary>
internal enum LoopCallKind
{
    /// <summary>Send a chunk.</summary>
    Write,

    /// <summary>End the answer with an error of the app's own.</summary>
    Error,

    /// <summary>End the answer.</summary>
    Close,

    /// <summary>The handler's task is done.</summary>
    Finish,
}

/// <summary>One such call.</summary>
/// <param name="Kind">The kind of the request.</param>
/// <param name="Channel">The channel of its job.</param>
/// <param name="Number">The job's number when it was asked: a call whose job has ended meanwhile is for nobody.</param>
/// <param name="Data">The chunk's bytes, a copy; valid in Write.</param>
/// <param name="Code">Valid in Error.</param>
/// <param name="Text">Valid in Error.</param>
/// <param name="Category">Valid in Error.</param>
internal readonly record struct LoopCall(
    LoopCallKind Kind, WorkerChannel Channel, ulong Number, byte[]? Data = null, int Code = 0, string? Text = null,
    int Category = 0);
