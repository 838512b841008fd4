using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Reads the section <c>security</c> of a config. Every mistake is reported with its place.</summary>
internal sealed class SecurityReader(ProblemList problems, string filePath)
{
    private const string At = "$.security", TokenPrefix = "sha256:";

    private static readonly string[] CertificatePrefixes = ["URI:", "DNS:", "EMAIL:", "CN:"];

    private readonly KeyReader _keys = new(problems);
    private readonly Dictionary<string, string> _claims = []; // the identity of each means, by its key and value

    /// <summary>The section; empty when there is none.</summary>
    public SecurityConfig Read(JsonTree? section)
    {
        if (section is null || section.Kind != JsonValueKind.Object)
        {
            return new SecurityConfig(); // reported as no object already
        }

        Dictionary<string, object> values = _keys.Read(section, At, SecurityKeys.Top);
        List<Identity> identities = Identities(values.GetValueOrDefault("identities") as JsonTree);
        HashSet<string> names = [.. section["identities"]?.Members.Select(member => member.Name) ?? []];
        if (section["quarantine-to"] is { } readers && section["keys"] is null)
        {
            problems.Add(readers.Offset, At + ".quarantine-to", "these are names of keys in the folder 'keys', which is not there");
        }

        return new SecurityConfig
        {
            Network = Enum.Parse<NetworkFloor>(values.GetValueOrDefault(NetworkNeeds.Key) as string ?? "open", ignoreCase: true),
            QuarantineTo = values.GetValueOrDefault("quarantine-to") as string[] ?? [],
            KeysFolder = values.GetValueOrDefault("keys") is string keys ? Path.GetFullPath(keys) : null,
            Tls = new TlsReader(problems, _keys, filePath).Read(values.GetValueOrDefault("tls") as JsonTree),
            SecretHeaders = SecretHeaders(section),
            Identities = identities,
            Rights = Rules(values.GetValueOrDefault("rights") as JsonTree, names),
        };
    }

    private List<string> SecretHeaders(JsonTree section)
    {
        List<string> names = [];
        foreach ((JsonTree value, string place) in Strings(section, At, "secret-headers"))
        {
            if (value.Text.Any(letter => letter is <= ' ' or > '~'))
            {
                problems.Add(
                    value.Offset, place, $"'{JsonPath.Shown(value.Text)}': a header's name has no spaces, and letters of ASCII only");
            }

            names.Add(value.Text);
        }

        return names;
    }

    private List<Identity> Identities(JsonTree? section)
    {
        List<Identity> identities = [];
        HashSet<string> seen = [];
        foreach (JsonMember member in section?.Members ?? [])
        {
            string at = JsonPath.Member(At + ".identities", member.Name);
            if (!seen.Add(member.Name))
            {
                problems.Add(member.Offset, at, "the identity stands here twice");
            }
            else if (!IsName(member.Name))
            {
                problems.Add(member.Offset, at, "an identity's name has letters, digits, '.', '_' and '-', at most 64 of them");
            }
            else if (member.Value.Kind != JsonValueKind.Object)
            {
                problems.Wrong(member.Value, at, "an object");
            }
            else
            {
                identities.Add(ReadIdentity(member, at));
            }
        }

        if (section is not null && seen.Count > SecurityConfig.MaxEntries)
        {
            problems.Add(section.Offset, At + ".identities", $"more than {SecurityConfig.MaxEntries} identities");
        }

        return identities;
    }

    private Identity ReadIdentity(JsonMember member, string at)
    {
        JsonTree item = member.Value;
        Dictionary<string, object> values = _keys.Read(item, at, SecurityKeys.Identity);
        if (!Array.Exists(["certificate", "rsa", "user", "token"], means => item[means] is not null))
        {
            problems.Add(member.Offset, at, "nothing tells this caller from others: expected certificate, rsa, user or token");
        }

        List<byte[]> tokens = [];
        foreach (string token in Claims(item, at, "token", member.Name, TokenProblem))
        {
            tokens.Add(Convert.FromHexString(token[TokenPrefix.Length..]));
        }

        return new Identity
        {
            Name = member.Name,
            Certificates = Claims(item, at, "certificate", member.Name, CertificateProblem),
            RsaKeys = Claims(item, at, "rsa", member.Name, KeyProblem),
            Users = Claims(item, at, "user", member.Name, static _ => null),
            TokenHashes = tokens,
            CallsPerSecond = (int)(values.GetValueOrDefault("rate") as long? ?? 0),
            MaxConnections = (int)(values.GetValueOrDefault("connections") as long? ?? 0),
        };
    }

    /// <summary>The good values of one means. A value is of one identity only.</summary>
    private List<string> Claims(JsonTree item, string at, string key, string owner, Func<string, string?> problemOf)
    {
        List<string> good = [];
        foreach ((JsonTree value, string place) in Strings(item, at, key))
        {
            string claim = $"{key} {(key == "token" ? value.Text.ToLowerInvariant() : value.Text)}";
            if (problemOf(value.Text) is { } problem)
            {
                problems.Add(value.Offset, place, problem);
            }
            else if (!_claims.TryAdd(claim, owner))
            {
                string other = _claims[claim] == owner ? "it stands here twice" : $"it is of the identity '{_claims[claim]}' already";
                problems.Add(value.Offset, place, key == "token" ? other : $"'{JsonPath.Shown(value.Text)}': {other}");
            }
            else
            {
                good.Add(value.Text);
            }
        }

        return good;
    }

    private static string? CertificateProblem(string name)
    {
        string shown = JsonPath.Shown(name);
        bool HasPrefix(string prefix) => name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length;
        return !Array.Exists(CertificatePrefixes, HasPrefix)
            ? $"'{shown}': expected URI:, DNS:, EMAIL: or CN: and a name of a certificate"
            : name.Contains('*') ? $"'{shown}': names of certificates match whole, and have no '*'" : null;
    }

    private static string? KeyProblem(string name) => IsName(name) ? null : "a key's name has letters, digits, '.', '_' and '-'";

    /// <summary>The text does not repeat the value: a token that stands here itself must not get into logs.</summary>
    private static string? TokenProblem(string token) =>
        token.StartsWith(TokenPrefix, StringComparison.Ordinal) && token.Length == TokenPrefix.Length + 64
        && token.AsSpan(TokenPrefix.Length).IndexOfAnyExcept("0123456789abcdefABCDEF") < 0
            ? null : "expected sha256: and 64 hexadecimal digits: the SHA-256 of the token, not the token";

    private List<RightsRule> Rules(JsonTree? list, HashSet<string> identities)
    {
        List<RightsRule> rules = [];
        foreach ((JsonTree item, string at) in list is null ? [] : KeyReader.Items(list, At + ".rights"))
        {
            if (item.Kind == JsonValueKind.Object)
            {
                rules.Add(ReadRule(item, at, identities));
            }
            else
            {
                problems.Wrong(item, at, "an object");
            }
        }

        if (list is not null && rules.Count > SecurityConfig.MaxEntries)
        {
            problems.Add(list.Offset, At + ".rights", $"more than {SecurityConfig.MaxEntries} rules");
        }

        return rules;
    }

    private RightsRule ReadRule(JsonTree item, string at, HashSet<string> identities)
    {
        _keys.Read(item, at, SecurityKeys.Rule);
        if (item["call"] is null && item["locate"] is null && item["control"] is null)
        {
            problems.Add(item.Offset, at, "the rule gives no right: expected call, locate or control");
        }

        if (item["apps"] is { } apps && item["control"] is null)
        {
            problems.Add(apps.Offset, at + ".apps", "these are the apps of 'control', which the rule does not have");
        }

        return new RightsRule
        {
            Callers = Callers(item, at, identities),
            Calls = Calls(item["call"], at + ".call"),
            Locate = AppPatterns(item, at, "locate"),
            Control = Verbs(item, at),
            Apps = item["apps"] is null ? [new NamePattern("*")] : AppPatterns(item, at, "apps"),
        };
    }

    private List<string> Callers(JsonTree item, string at, HashSet<string> identities)
    {
        List<string> callers = [];
        foreach ((JsonTree value, string place) in Strings(item, at, "who"))
        {
            if (!identities.Contains(value.Text) && !RightsRule.Places.Contains(value.Text))
            {
                string[] known = [.. identities, .. RightsRule.Places];
                problems.Add(
                    value.Offset, place, $"there is no identity '{JsonPath.Shown(value.Text)}'{ProblemList.Nearest(value.Text, known)}");
            }

            callers.Add(value.Text);
        }

        return callers;
    }

    private List<CallGrant> Calls(JsonTree? calls, string at)
    {
        List<CallGrant> grants = [];
        HashSet<string> seen = [];
        foreach (JsonMember member in calls is { Kind: JsonValueKind.Object } ? calls.Members : [])
        {
            string place = JsonPath.Member(at, member.Name);
            if (!IsAppPattern(member.Name))
            {
                problems.Add(member.Offset, place, NoAppPattern(member.Name));
            }
            else if (!seen.Add(member.Name))
            {
                problems.Add(member.Offset, place, "the app stands here twice");
            }

            List<NamePattern> events = [];
            if (_keys.ReadValue(new KeySpec("", KeyKind.TextList, ""), member.Value, place) is string[] names)
            {
                if (Array.Find(names, name => Encoding.UTF8.GetByteCount(name) > OpeningBounds.MaxNameBytes) is { } name)
                {
                    problems.Add(
                        member.Value.Offset, place, $"'{JsonPath.Shown(name)}': a name has at most {OpeningBounds.MaxNameBytes} bytes");
                }

                events.AddRange(names.Select(name => new NamePattern(name)));
            }

            grants.Add(new CallGrant(new NamePattern(member.Name), events));
        }

        return grants;
    }

    private List<string> Verbs(JsonTree item, string at)
    {
        List<string> verbs = [];
        foreach ((JsonTree value, string place) in Strings(item, at, "control"))
        {
            if (value.Text != ControlVerbs.Every && !ControlVerbs.All.Contains(value.Text))
            {
                problems.Add(
                    value.Offset, place,
                    $"control has no method '{JsonPath.Shown(value.Text)}'{ProblemList.Nearest(value.Text, ControlVerbs.All)}; "
                    + $"there are {string.Join(", ", ControlVerbs.All)}, and * for all");
            }

            verbs.Add(value.Text);
        }

        return verbs;
    }

    private List<NamePattern> AppPatterns(JsonTree item, string at, string key)
    {
        List<NamePattern> patterns = [];
        foreach ((JsonTree value, string place) in Strings(item, at, key))
        {
            if (!IsAppPattern(value.Text))
            {
                problems.Add(value.Offset, place, NoAppPattern(value.Text));
            }

            patterns.Add(new NamePattern(value.Text));
        }

        return patterns;
    }

    /// <summary>The strings of a key; everything else was reported when the key was read.</summary>
    private static IEnumerable<(JsonTree Value, string Path)> Strings(JsonTree item, string at, string key) =>
        item[key] is not { Kind: JsonValueKind.String or JsonValueKind.Array } value ? []
        : KeyReader.Items(value, $"{at}.{key}").Where(one => one.Value is { Kind: JsonValueKind.String, Text.Length: > 0 });

    private static bool IsName(string text) => text.Length is > 0 and <= 64
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');

    private static bool IsAppPattern(string text) => text.Length > 0 && KeyReader.IsAppName(text.Replace('*', 'a'));

    private static string NoAppPattern(string text) =>
        $"'{JsonPath.Shown(text)}' stands for no app: expected a-z, 0-9, '.', '_', '-', and '*' for any letters";
}
