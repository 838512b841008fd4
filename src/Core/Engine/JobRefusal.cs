namespace Cocaine.Fast.Core.Engine;

/// <summary>Why a job was not accepted.</summary>
/// <param name="Code">The error's code.</param>
/// <param name="Reason">The error's text.</param>
/// <param name="JobId">The number that it had got already.</param>
/// <param name="RetryAfterS">When there is room again by the present speed, s; 0 when room is not what was missing.</param>
internal readonly record struct JobRefusal(int Code, string Reason, ulong JobId, int RetryAfterS = 0);
