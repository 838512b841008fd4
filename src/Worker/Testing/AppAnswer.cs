using System.Text;

namespace Cocaine.Fast.Worker.Testing;

/// <summary>An error that ended an answer.</summary>
/// <param name="Category">42 for an app's own, 1000 for an exception.</param>
/// <param name="Code">The error's code.</param>
/// <param name="Reason">The error's text.</param>
public sealed record AppError(int Category, int Code, string Reason);

/// <summary>The answer that a caller would get.</summary>
/// <param name="Chunks">The answer's chunks.</param>
/// <param name="Error">The error that ended it, or null.</param>
public sealed record AppAnswer(IReadOnlyList<byte[]> Chunks, AppError? Error)
{
    /// <summary>All chunks.</summary>
    /// <exception cref="InvalidOperationException">The answer ended with an error.</exception>
    public byte[] Body => Error is null ? [.. Chunks.SelectMany(chunk => chunk)]
        : throw new InvalidOperationException($"error {Error.Category}.{Error.Code}: {Error.Reason}");

    /// <summary>The answer as UTF-8 text.</summary>
    public string Text => Encoding.UTF8.GetString(Body);
}
