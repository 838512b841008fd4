namespace Cocaine.Fast.Core.Protocol;

/// <summary>Categories and codes of errors: section "Errors" of docs/protocol.md.</summary>
public static class ErrorCodes
{
    /// <summary>The category of this node's own errors.</summary>
    public const int Category = 1000;

    /// <summary>
    /// The category of the errors by which a node says that it has not run a job, and never will: the job may run elsewhere. Only peers
    /// that hear of the load get it.
    /// </summary>
    internal const int RefusedCategory = 1001;

    /// <summary>Malformed message or header, wrong state, bad argument.</summary>
    public const int BadRequest = 400;

    /// <summary>Security is on and the peer is not known.</summary>
    public const int Unauthenticated = 401;

    /// <summary>Security is on and the peer lacks the permission.</summary>
    public const int Forbidden = 403;

    /// <summary>No such event or app.</summary>
    public const int NotFound = 404;

    /// <summary>A size limit is exceeded.</summary>
    public const int TooLarge = 413;

    /// <summary>The engine is not running, the app cannot be started, or there was an internal fault.</summary>
    public const int ServerError = 500;

    /// <summary>The app raised an error, or its slave died after the answer had begun or when no retries were left.</summary>
    public const int AppError = 502;

    /// <summary>The queue is full, or the node is draining.</summary>
    public const int ResourceError = 503;

    /// <summary>The slave was silent, or the job's timeout or its time in the queue passed.</summary>
    public const int TimeoutError = 504;

    /// <summary>The job's deadline passed.</summary>
    public const int DeadlineError = 520;

    /// <summary>The category of the public client frameworks' own errors.</summary>
    public const int FrameworkCategory = 42;

    /// <summary>The locator's category.</summary>
    public const int LocatorCategory = 10;

    /// <summary>The locator knows no such service.</summary>
    public const int LocatorNotFound = 1;
}
