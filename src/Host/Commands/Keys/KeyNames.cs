using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary>Names in the arguments of <c>keys</c>: they become names of files and names in certificates.</summary>
internal static class KeyNames
{
    /// <summary>The longest name: a certificate's common name has at most 64 letters (RFC 5280).</summary>
    private const int MaxLetters = 64;

    /// <summary>The longest name of a host (RFC 1035).</summary>
    private const int MaxHostLetters = 253;

    /// <summary>The longest life of a certificate: a hundred years.</summary>
    private const int MostDays = 36_500;

    /// <summary>The rule for a name, as a mistake says it.</summary>
    public const string Rule = "letters, digits, '.', '_' and '-', the first one a letter or a digit, and at most 64 of them";

    /// <summary>True for a name that is safe as a name of a file.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= MaxLetters && char.IsAsciiLetterOrDigit(text[0])
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');

    /// <summary>The rule for the name of an RSA key, as a mistake says it.</summary>
    public const string RsaRule = "at most 64 letters, digits, '_' and '-', and for a second key of the same name a dot and a number";

    /// <summary>
    /// True for the name of an RSA key. A name with a number, such as <c>billing.2</c>, is another key of the same identity: both count
    /// while callers change from the one to the other.
    /// </summary>
    public static bool IsRsaName(string text)
    {
        int dot = text.IndexOf('.', StringComparison.Ordinal);
        return IsName(text) && (dot < 0 || (dot < text.Length - 1 && text[(dot + 1)..].All(char.IsAsciiDigit)));
    }

    /// <summary>True for the name of a person or a thing within a certificate.</summary>
    public static bool IsTitle(string text) => text.Length is > 0 and <= MaxLetters && text.All(letter => letter is >= ' ' and <= '~');

    /// <summary>An IP address as certificates have it: without a zone, and in full.</summary>
    public static bool IsAddress(string text, out IPAddress address)
    {
        bool isWritten = text.Contains(':', StringComparison.Ordinal) || text.Count(letter => letter == '.') == 3;
        return IPAddress.TryParse(text, out address!) && isWritten && !text.Contains('%', StringComparison.Ordinal)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text);
    }

    /// <summary>True for the name of a host; the first part may be <c>*</c>.</summary>
    public static bool IsHost(string text)
    {
        string[] parts = text.Split('.');
        return text.Length <= MaxHostLetters && !parts[^1].All(char.IsAsciiDigit) && parts.Index().All(part =>
            (part.Item == "*" && part.Index == 0 && parts.Length > 2) || IsHostPart(part.Item));
    }

    /// <summary>An argument that is a name.</summary>
    public static Argument<string> Argument(string description, bool isOptional = false) =>
        Argument(description, isOptional, IsName, Rule);

    /// <summary>An argument that is the name of an RSA key.</summary>
    public static Argument<string> RsaArgument(string description) => Argument(description, isOptional: false, IsRsaName, RsaRule);

    /// <summary>The option for a time in days.</summary>
    public static Option<int> Days(int usual, string description)
    {
        Option<int> days = new("--days")
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"{description}; {usual} when it is not given"),
            DefaultValueFactory = _ => usual,
        };
        days.Check(value => value is > 0 and <= MostDays, $"--days: a number from 1 to {MostDays} is needed");
        return days;
    }

    /// <summary>The option to replace files.</summary>
    public static Option<bool> Force() => new("--force") { Description = "Replace files that are there already" };

    /// <summary>A moment as all commands of <c>keys</c> show it.</summary>
    public static string Moment(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static Argument<string> Argument(string description, bool isOptional, Predicate<string> isName, string rule)
    {
        Argument<string> argument = new("name")
        {
            Description = description,
            Arity = isOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
        };
        argument.Validators.Add(result =>
        {
            if (result.Tokens is [{ } token] && !isName(token.Value))
            {
                result.AddError($"'{token.Value}' is no name for a key: {rule}");
            }
        });
        return argument;
    }

    private static bool IsHostPart(string part) => part.Length is > 0 and <= 63 && part[0] != '-' && part[^1] != '-'
        && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');
}
