using System.Text.RegularExpressions;

namespace Cocaine.Fast.Core.Pools;

/// <summary>The texts about failed starts, for each reader.</summary>
/// <remarks>
/// The whole cause has the app's output: paths, texts of exceptions, maybe a password in an address. It is meant for the log and for people
/// on the control socket. Callers may be anybody: they get the kind of the failure and no word of the app.
/// </remarks>
internal static partial class StartFailure
{
    /// <summary>The error for a job when its app has no slave.</summary>
    public static string ForCallers(string cause)
    {
        string kind = KindOf(cause);
        return $"the app cannot be started{(kind.Length > 0 ? $" ({kind})" : "")}: its log says why";
    }

    /// <summary>How a start failed, in words of the node only; empty when the cause has none of them.</summary>
    public static string KindOf(string cause) => Kind().Match(cause).Value;

    [GeneratedRegex(@"^(exit code [0-9]{1,3}|signal [0-9]{1,2}|not ready within the startup-timeout of [0-9]{1,19} ms)(?![0-9])",
        RegexOptions.CultureInvariant)]
    private static partial Regex Kind();
}
