namespace Cocaine.Fast.Core.Manifest;

/// <summary>What a key's value may be.</summary>
internal enum KeyKind
{
    Text,
    TextList,
    Integer,
    Boolean,

    /// <summary>Seconds as a number, or a number and a unit; kept in ms.</summary>
    Duration,

    /// <summary>Milliseconds as a number.</summary>
    Milliseconds,

    /// <summary>Bytes as a number, or a number and KiB, MiB, GiB.</summary>
    Bytes,

    /// <summary>One endpoint, or a list of them.</summary>
    Endpoints,

    /// <summary>An absolute path.</summary>
    AbsolutePath,

    /// <summary>A cron expression.</summary>
    Schedule,
}

/// <summary>
/// One key of a manifest. Validation, the JSON schema and the tables of docs/manifest.md all come from these.
/// </summary>
/// <param name="Name">The key.</param>
/// <param name="Kind">What its value may be.</param>
/// <param name="Meaning">One sentence for the documentation.</param>
/// <param name="Default">As it is written in the documentation; "required" when there is none.</param>
internal sealed record KeySpec(string Name, KeyKind Kind, string Meaning, string Default = "none")
{
    public double Min { get; init; }

    public double Max { get; init; } = int.MaxValue;

    /// <summary>The only values, when they are few.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    public bool IsRequired => Default == "required";

    /// <summary>What is expected, in words.</summary>
    public string Expected => Kind switch
    {
        _ when Choices.Count > 0 => "one of " + string.Join(", ", Choices),
        KeyKind.Text => "a string",
        KeyKind.TextList => "a string or a list of strings",
        KeyKind.Integer => Max < int.MaxValue ? $"a whole number from {Min} to {Max}" : $"a whole number, {Min} or more",
        KeyKind.Boolean => "true or false",
        KeyKind.Duration => "seconds as a number, or a string with a unit (\"250ms\", \"10s\", \"1m\", \"2h\")",
        KeyKind.Milliseconds => $"milliseconds as a whole number, {Min} or more",
        KeyKind.Bytes => "bytes as a number, or a string with a unit (\"64KiB\", \"1MiB\")",
        KeyKind.Endpoints => "an endpoint (tcp://HOST:PORT or ipc:///path) or a list of them",
        KeyKind.AbsolutePath => "an absolute path",
        _ => "a cron expression of 5 or 6 fields, or @hourly, @daily, @weekly, @monthly, @yearly",
    };
}
