using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads manifests: checks all of a file and reports every mistake at once. The keys are in docs/manifest.md.</summary>
public static partial class ManifestReader
{
    /// <summary>Largest file: a manifest has some kilobytes.</summary>
    private const int MaxFileBytes = 1 << 20;

    private static readonly IReadOnlyList<string> TopKeys = [.. ManifestKeys.Top.Select(key => key.Name)];

    /// <summary>Reads a file. With <paramref name="checkFiles"/>, code that is not there is a mistake too.</summary>
    public static ManifestResult ReadFile(string path, bool checkFiles = false)
    {
        try
        {
            FileInfo file = new(path);
            if (file.Length > MaxFileBytes)
            {
                return Unreadable(path, $"a manifest of {file.Length} bytes is too large (at most {MaxFileBytes})");
            }

            return Read(File.ReadAllBytes(path), path, checkFiles);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Unreadable(path, failure.Message);
        }
    }

    /// <summary>
    /// Reads a manifest from memory; <paramref name="filePath"/> names it in messages and is where its relative paths start from.
    /// </summary>
    public static ManifestResult Read(ReadOnlySpan<byte> utf8, string filePath, bool checkFiles = false)
    {
        ReadOnlySpan<byte> mark = [0xef, 0xbb, 0xbf];
        if (utf8.StartsWith(mark))
        {
            utf8 = utf8[mark.Length..];
        }

        ProblemList problems = new(filePath, utf8.ToArray());
        JsonTree? root = Parse(utf8, problems);
        AppManifest? manifest = root is null ? null : new Build(problems, filePath, checkFiles).App(root);
        return new ManifestResult(problems.HasErrors ? null : manifest, problems.Sorted);
    }

    private static ManifestResult Unreadable(string path, string message) => new(null, [new ManifestProblem(path, 1, 1, "$", message)]);

    private static JsonTree? Parse(ReadOnlySpan<byte> utf8, ProblemList problems)
    {
        try
        {
            JsonTree root = JsonTree.Parse(utf8);
            if (root.Kind == JsonValueKind.Object)
            {
                return root;
            }

            problems.Add(root.Offset, "$", $"a manifest is an object, found {root.KindName}");
        }
        catch (JsonException mistake)
        {
            problems.Add(OffsetOf(utf8, mistake), "$", $"not JSON: {mistake.Message.Split(" LineNumber")[0]}");
        }
        catch (InvalidOperationException mistake)
        {
            problems.Add(0, "$", $"not JSON: {mistake.Message}"); // a string that is no UTF-8
        }

        return null;
    }

    private static long OffsetOf(ReadOnlySpan<byte> utf8, JsonException mistake)
    {
        long line = mistake.LineNumber ?? 0;
        int offset = 0;
        while (line-- > 0)
        {
            int end = utf8[offset..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            offset += end + 1;
        }

        return offset + (mistake.BytePositionInLine ?? 0);
    }

    [GeneratedRegex("^[a-z0-9._-]{1,64}$")]
    private static partial Regex NameForm();

    /// <summary>From the tree to the model.</summary>
    private sealed class Build(ProblemList problems, string filePath, bool checkFiles)
    {
        private readonly KeyReader _keys = new(problems);

        public AppManifest App(JsonTree root)
        {
            CheckTop(root);
            AppType type = TypeOf(root);
            EngineSettings engine = Engine(root, type);
            return new AppManifest
            {
                Name = Name(root),
                Type = type,
                Code = Code(root),
                Version = (int)Whole(root, "version", 0),
                Engine = engine,
                PubsubEndpoint = Pubsub(root),
                Tasks = new TaskReader(problems, _keys).Read(root),
                FilePath = filePath,
            };
        }

        private void CheckTop(JsonTree root)
        {
            HashSet<string> seen = [];
            foreach (JsonMember member in root.Members)
            {
                if (!seen.Add(member.Name))
                {
                    problems.Add(member.Offset, $"$.{member.Name}", "the key stands here twice");
                }
                else if (!TopKeys.Contains(member.Name))
                {
                    problems.Unknown(member, $"$.{member.Name}", "key", TopKeys);
                }
            }
        }

        private string Name(JsonTree root)
        {
            JsonTree? name = root["name"];
            string text = name is null ? Path.GetFileNameWithoutExtension(filePath).ToLowerInvariant() : name.Text;
            if (!NameForm().IsMatch(text))
            {
                problems.Add(name?.Offset ?? root.Offset, "$.name", name is null
                    ? $"the file's name '{text}' is no app name ([a-z0-9._-], at most 64): give one with 'name'"
                    : $"expected a name of a-z, 0-9, '.', '_' and '-', at most 64 characters, found {name.KindName}");
            }

            return text;
        }

        private AppType TypeOf(JsonTree root)
        {
            JsonTree? type = root["type"];
            if (type is null)
            {
                problems.Add(root.Offset, "$", $"the key 'type' is missing: one of {string.Join(", ", ManifestKeys.Types)}");
                return AppType.Binary;
            }

            int index = ManifestKeys.Types.ToList().IndexOf(type.Text);
            if (index < 0)
            {
                string near = ProblemList.Nearest(type.Text, ManifestKeys.Types);
                problems.Add(type.Offset, "$.type", $"expected one of {string.Join(", ", ManifestKeys.Types)}, found {type.KindName}{near}");
                return AppType.Binary;
            }

            return Enum.Parse<AppType>(ManifestKeys.Types[index], ignoreCase: true);
        }

        private CodeSource Code(JsonTree root)
        {
            JsonTree? args = root["args"];
            if (args is null)
            {
                problems.Add(root.Offset, "$", "the key 'args' is missing: where the code is, as a string or {source, argv, env}");
                return new CodeSource { Source = "" };
            }

            if (args.Kind == JsonValueKind.String)
            {
                return new CodeSource { Source = Source(args, "$.args") };
            }

            if (args.Kind != JsonValueKind.Object || args["source"] is not { Kind: JsonValueKind.String } source)
            {
                problems.Add(args.Offset, "$.args", $"expected a string or {{source, argv, env}}, found {args.KindName}");
                return new CodeSource { Source = "" };
            }

            foreach (JsonMember member in args.Members.Where(member => member.Name is not ("source" or "argv" or "env")))
            {
                problems.Unknown(member, $"$.args.{member.Name}", "key", ["source", "argv", "env"]);
            }

            return new CodeSource { Source = Source(source, "$.args.source"), Argv = Argv(args), Env = Env(args) };
        }

        private string Source(JsonTree value, string path)
        {
            const string Local = "local://";
            string text = value.Text.StartsWith(Local, StringComparison.Ordinal) ? value.Text[Local.Length..] : value.Text;
            if (text.Length == 0 || (value.Text.StartsWith(Local, StringComparison.Ordinal) && !text.StartsWith('/')))
            {
                problems.Add(value.Offset, path, $"expected local:///absolute/path, or a path relative to the manifest, found {value.KindName}");
                return "";
            }

            string full = Path.GetFullPath(text, Path.GetDirectoryName(Path.GetFullPath(filePath)) ?? "/");
            if (checkFiles && !File.Exists(full) && !Directory.Exists(full))
            {
                problems.Add(value.Offset, path, $"there is no file {full}");
            }

            return full;
        }

        private string[] Argv(JsonTree args)
        {
            if (args["argv"] is not { } argv)
            {
                return [];
            }

            if (argv.Kind != JsonValueKind.Array || argv.Items.Exists(item => item.Kind != JsonValueKind.String))
            {
                problems.Add(argv.Offset, "$.args.argv", $"expected a list of strings, found {argv.KindName}");
                return [];
            }

            return [.. argv.Items.Select(item => item.Text)];
        }

        private Dictionary<string, string> Env(JsonTree args)
        {
            Dictionary<string, string> variables = [];
            if (args["env"] is not { } env)
            {
                return variables;
            }

            if (env.Kind != JsonValueKind.Object)
            {
                problems.Add(env.Offset, "$.args.env", $"expected an object of strings, found {env.KindName}");
                return variables;
            }

            foreach (JsonMember member in env.Members)
            {
                bool bad = member.Value.Kind != JsonValueKind.String || member.Name.Length == 0 || member.Name.Contains('=')
                    || member.Name.Contains('\0') || member.Value.Text.Contains('\0');
                if (bad)
                {
                    problems.Add(member.Offset, $"$.args.env.{member.Name}", $"expected a variable's name and a string, found {member.Value.KindName}");
                }

                variables[member.Name] = member.Value.Text;
            }

            return variables;
        }

        private EngineSettings Engine(JsonTree root, AppType type)
        {
            JsonTree? item = root["engine"];
            if (item is null)
            {
                return new EngineSettings();
            }

            if (item.Kind != JsonValueKind.Object)
            {
                problems.Add(item.Offset, "$.engine", $"expected an object, found {item.KindName}");
                return new EngineSettings();
            }

            EngineSettings settings = EngineReader.From(_keys.Read(item, "$.engine", ManifestKeys.Engine));
            EngineReader.Check(problems, item, settings, type);
            return settings;
        }

        private string? Pubsub(JsonTree root)
        {
            if (root["pubsub"] is not { } pubsub)
            {
                return null;
            }

            if (pubsub.Kind != JsonValueKind.Object)
            {
                problems.Add(pubsub.Offset, "$.pubsub", $"expected {{endpoint}}, found {pubsub.KindName}");
                return null;
            }

            KeySpec endpoint = new("endpoint", KeyKind.Endpoints, "the monitoring socket", "required");
            Dictionary<string, object> values = _keys.Read(pubsub, "$.pubsub", [endpoint]);
            return values.GetValueOrDefault("endpoint") is string[] texts ? texts[0] : null;
        }

        private long Whole(JsonTree root, string name, long fallback)
        {
            if (root[name] is not { } value)
            {
                return fallback;
            }

            if (value.Kind == JsonValueKind.Number && value.Number >= 0 && value.Number <= int.MaxValue && value.Number == Math.Floor(value.Number))
            {
                return (long)value.Number;
            }

            problems.Add(value.Offset, $"$.{name}", $"expected a whole number, 0 or more, found {value.KindName}");
            return fallback;
        }
    }
}
