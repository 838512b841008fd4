namespace Cocaine.Fast.Core.Manifest;

/// <summary>The kinds of values of a key.</summary>
internal enum KeyKind
{
    Text,

    /// <summary>A string or a list of strings.</summary>
    TextList,

    /// <summary>A list of strings, which may be empty.</summary>
    Words,

    /// <summary>An object of strings.</summary>
    Variables,
    Integer,

    /// <summary>A whole number, or a part in percent as a string; kept as text.</summary>
    Part,
    Boolean,

    /// <summary>Seconds as a number, or a number and a unit; kept in ms.</summary>
    Duration,

    /// <summary>Milliseconds as a number.</summary>
    Milliseconds,

    /// <summary>Bytes as a number, or a number and KiB, MiB, GiB.</summary>
    Bytes,

    /// <summary>One endpoint.</summary>
    Endpoint,

    /// <summary>One endpoint, or a list of them.</summary>
    Endpoints,

    /// <summary>Permissions of a Unix socket: octal digits as a string, kept as a number.</summary>
    SocketMode,

    /// <summary>An absolute path.</summary>
    AbsolutePath,

    /// <summary>An absolute path, or one in systemd's folder of credentials.</summary>
    CredentialPath,

    /// <summary>An app's name.</summary>
    AppName,

    /// <summary>A string, or an object with a table of its own.</summary>
    Code,

    /// <summary>An object with a table of its own.</summary>
    Section,

    /// <summary>Objects by name, all with one table.</summary>
    NamedSections,

    /// <summary>A list of objects, all with one table.</summary>
    Sections,

    /// <summary>An object of strings and lists of strings.</summary>
    Lists,

    /// <summary>The tasks.</summary>
    Tasks,
}

/// <summary>
/// One key of a manifest. Validation, defaults, the JSON schema and the tables of docs/manifest.md all come from these specs.
/// </summary>
/// <param name="Name">The key.</param>
/// <param name="Kind">The kind of its value.</param>
/// <param name="Meaning">One sentence for the documentation.</param>
/// <param name="Default">The default as a manifest would have it, or in words; "required" when there is none.</param>
internal sealed record KeySpec(string Name, KeyKind Kind, string Meaning, string Default = "none")
{
    /// <summary>The longest duration: 10,000 days in ms, so that sums of a few durations stay far from overflow.</summary>
    private const long MaxDurationMs = 10_000L * 24 * 3600 * 1000;

    /// <summary>The least value of a number, in the unit in which it is kept: ms, bytes.</summary>
    public long Min { get; init; }

    /// <summary>The greatest value of a number, in the unit in which it is kept.</summary>
    public long Max { get; init; } = Kind == KeyKind.Duration ? MaxDurationMs : int.MaxValue;

    /// <summary>The only values of a string or of a list's items, when there are few.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Strings may be empty.</summary>
    public bool AllowsEmpty { get; init; }

    /// <summary>The most bytes of each item of a list of strings.</summary>
    public int MaxItemBytes { get; init; } = int.MaxValue;

    /// <summary>The number is a power of two.</summary>
    public bool IsPowerOfTwo { get; init; }

    /// <summary>The default of a list when <see cref="Default"/> is in words.</summary>
    public string[]? DefaultList { get; init; }

    /// <summary>The default of a list is the name of its task.</summary>
    public bool DefaultsToTaskName { get; init; }

    /// <summary>Finds the mistake in a string; null when the string is good.</summary>
    public Func<JsonTree, TextMistake?>? Check { get; init; }

    /// <summary>The expected value in words, when the words of its kind are not enough.</summary>
    public string? ExpectedWords { get; init; }

    public bool IsRequired => Default == "required";

    /// <summary>The default as the reader would have read it; null when there is none or when it is decided elsewhere.</summary>
    public object? DefaultValue => IsRequired ? null : DefaultList ?? KeyValues.OfText(this, Default);

    /// <summary>The expected value in words.</summary>
    public string Expected => ExpectedWords ?? Kind switch
    {
        KeyKind.TextList when Choices.Count > 0 => "one or a list of " + string.Join(", ", Choices),
        _ when Choices.Count > 0 => "one of " + string.Join(", ", Choices),
        KeyKind.Text => "a string",
        KeyKind.TextList => "a string or a list of strings",
        KeyKind.Words => "a list of strings",
        KeyKind.Variables => "an object of strings",
        KeyKind.Integer => Max < int.MaxValue ? $"a whole number from {Min} to {Max}" : $"a whole number, {Min} or more",
        KeyKind.Part => $"a whole number from {Min} to {Max}, or a part from \"1%\" to \"100%\"",
        KeyKind.Boolean => "true or false",
        KeyKind.Duration =>
            $"seconds as a number{(Min > 0 ? " above 0" : ", 0 or more")}, or a string with a unit (\"250ms\", \"10s\", \"1m\", \"2h\")",
        KeyKind.Milliseconds => $"milliseconds as a whole number, {Min} or more",
        KeyKind.Bytes =>
            $"bytes from {KeyValues.Written(this, Min)} to {KeyValues.Written(this, Max)}, "
            + "as a number or a string with a unit (\"64KiB\", \"1MiB\")",
        KeyKind.Endpoint => "an endpoint (tcp://HOST:PORT)",
        KeyKind.Endpoints => "an endpoint (tcp://HOST:PORT or ipc:///path) or a list of them",
        KeyKind.SocketMode => "octal permissions from \"0600\" to \"0777\", as a string",
        KeyKind.AbsolutePath => "an absolute path",
        KeyKind.CredentialPath => "an absolute path, or `${CREDENTIALS_DIRECTORY}/` and a name",
        KeyKind.AppName => "a name of a-z, 0-9, '.', '_' and '-', at most 64 characters",
        KeyKind.Code => "local:///absolute/path, a path relative to the manifest, or {source, argv, env}",
        KeyKind.Tasks => "an object with one or more tasks",
        KeyKind.NamedSections => "an object of objects",
        KeyKind.Sections => "a list of objects",
        KeyKind.Lists => "an object of strings and lists of strings",
        _ => "an object",
    };
}

/// <summary>A string that is no valid value of its key, or a doubtful one.</summary>
/// <param name="Message">The mistake; null when the value is just not the expected one.</param>
/// <param name="Near">Values that the author may have meant; useful without a message.</param>
/// <param name="IsWarning">The value is good, and may mean something else than its author thinks.</param>
internal readonly record struct TextMistake(string? Message, IEnumerable<string> Near, bool IsWarning = false);
