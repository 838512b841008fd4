using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>
/// The job was cancelled: nobody wants its answer any more. Its error says why: [1000, 400] that the client went away, [1000, 520] that the
/// deadline passed; any other one is the caller's own.
/// </summary>
/// <param name="category">The owner of the code: 1000 is the node.</param>
/// <param name="code">The code, as in docs/protocol.md.</param>
/// <param name="reason">The reason, for people.</param>
public sealed class JobCancelledException(int category, int code, string reason) : OperationCanceledException("the job was cancelled")
{
    /// <summary>The owner of the code: 1000 is the node.</summary>
    public int Category { get; } = category;

    /// <summary>The code within the category.</summary>
    public int Code { get; } = code;

    /// <summary>The reason, for people.</summary>
    public string Reason { get; } = reason;

    /// <summary>The end of a slave, for the jobs that it leaves.</summary>
    internal static JobCancelledException OfEnd { get; } = new(ErrorCodes.Category, ErrorCodes.BadRequest, "the slave ends");

    /// <summary>The error of the node's message.</summary>
    internal static JobCancelledException Of(in MessageView error) => new(
        error.Layout.Shape == ArgumentShape.Error ? error.Layout.Category : ErrorCodes.Category,
        error.Layout.Shape == ArgumentShape.Error ? error.Layout.Code : ErrorCodes.BadRequest, Encoding.UTF8.GetString(error.Text));

    /// <summary>The same to be thrown: each place that throws gets an exception of its own.</summary>
    internal JobCancelledException Again() => new(Category, Code, Reason);
}
