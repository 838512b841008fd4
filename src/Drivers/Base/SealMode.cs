using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>The sealed requests that a task takes.</summary>
internal enum SealMode : byte
{
    /// <summary>None.</summary>
    No,

    /// <summary>Sealed requests and others.</summary>
    Accepted,

    /// <summary>Sealed requests only.</summary>
    Required,
}

/// <summary>The key of a task for sealed requests.</summary>
internal static class SealModes
{
    /// <summary><c>sealed</c>.</summary>
    public static readonly KeySpec Key = new(
        "sealed", KeyKind.Text, "requests that their senders seal with RSA: refused, accepted beside others, or required; needs "
        + "`security.keys` in the node's config", "no")
    {
        Choices = ["no", "accepted", "required"],
    };

    /// <summary>The mode of a task.</summary>
    public static SealMode Of(TaskManifest task) => task.GetText(Key.Name) switch
    {
        "accepted" => SealMode.Accepted,
        "required" => SealMode.Required,
        _ => SealMode.No,
    };
}
