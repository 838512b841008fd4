using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>Tells how a try of a call has failed.</summary>
internal static class TryEnds
{
    private const int QueueFullCategory = 0x52ff, QueueFull = 1, NotRunningCategory = 0x51ff, NotRunning = 6; // of Cocaine 0.12

    /// <summary>
    /// How it failed. A node that tells its load says by itself that it has not run a job. Another one of this product says it by the lack
    /// of a job's number, or by the time to try again; a node of Cocaine by its pairs.
    /// </summary>
    public static TryEnd Of(Exception failure) => failure switch
    {
        ConnectionLostException { WasNeverSent: true } => TryEnd.NeverRun,
        ConnectionLostException => TryEnd.Lost,
        CocaineException { WasRefused: true } => TryEnd.NeverRun,
        CocaineException { Category: ErrorCodes.Category, Code: ErrorCodes.ResourceError, JobId: 0 } => TryEnd.NeverRun,
        CocaineException { Category: QueueFullCategory, Code: QueueFull } => TryEnd.NeverRun,
        CocaineException { Category: NotRunningCategory, Code: NotRunning } => TryEnd.NeverRun,
        _ => TryEnd.Answered,
    };
}
