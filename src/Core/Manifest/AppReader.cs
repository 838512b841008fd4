using System.Globalization;
using System.Text.Json;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Turns the JSON of a whole manifest into the model.</summary>
internal sealed class AppReader(
    ProblemList problems, string filePath, bool checkFiles, DriverTable drivers, IReadOnlyList<string> customDrivers,
    EngineDefaults? defaults)
{
    private readonly KeyReader _keys = new(problems);
    private readonly EndpointChecks _endpoints = new(problems);

    public AppManifest Read(JsonTree root)
    {
        Dictionary<string, object> values = _keys.Read(root, "$", ManifestKeys.Top);
        AppType? type = values.TryGetValue("type", out object? text) ? Enum.Parse<AppType>((string)text, ignoreCase: true) : null;
        AppManifest app = new()
        {
            Name = Name(root, values),
            Type = type ?? AppType.Binary,
            Code = values.TryGetValue("args", out object? args) ? Code((JsonTree)args, type) : new CodeSource { Source = "" },
            Version = (int)(values.GetValueOrDefault("version") as long? ?? 0),
            Engine = Engine(values.GetValueOrDefault("engine") as JsonTree, root, type),
            PubsubEndpoint = values.TryGetValue("pubsub", out object? pubsub) ? Pubsub((JsonTree)pubsub) : null,
            Tasks = values.TryGetValue("tasks", out object? tasks)
                ? new TaskReader(problems, _keys, _endpoints, drivers, customDrivers).Read((JsonTree)tasks) : [],
            Placement = values.TryGetValue("cluster", out object? cluster) ? Placement((JsonTree)cluster) : new AppPlacement(),
            FilePath = filePath,
        };
        return values.TryGetValue("isolation", out object? isolation)
            ? app with { Isolation = Isolation((JsonTree)isolation, app.Engine.Backend) } : app;
    }

    private string Name(JsonTree root, Dictionary<string, object> values)
    {
        if (root["name"] is not null)
        {
            return values.GetValueOrDefault("name") as string ?? "";
        }

        string name = Path.GetFileNameWithoutExtension(filePath).ToLowerInvariant();
        if (!KeyReader.IsAppName(name))
        {
            problems.Add(
                root.Offset, "$.name",
                $"the file's name '{JsonPath.Shown(name)}' is no app name ([a-z0-9._-], at most 64): give one with 'name'");
        }

        return name;
    }

    private CodeSource Code(JsonTree args, AppType? type)
    {
        if (args.Kind == JsonValueKind.String)
        {
            return new CodeSource { Source = Source(args, "$.args") };
        }

        Dictionary<string, object> values = _keys.Read(args, "$.args", ManifestKeys.Args);
        if (values.ContainsKey("wsgi") && type is { } other and not AppType.Python)
        {
            problems.Add(
                args["wsgi"]!.Offset, "$.args.wsgi",
                $"only python apps are WSGI applications, not {other.ToString().ToLowerInvariant()} ones");
        }

        if (values.ContainsKey("interpreter") && type is { } compiled and not (AppType.Python or AppType.Perl or AppType.JavaScript))
        {
            problems.Add(
                args["interpreter"]!.Offset, "$.args.interpreter",
                $"only python, perl and javascript apps have an interpreter, not {compiled.ToString().ToLowerInvariant()} ones");
        }

        return new CodeSource
        {
            Source = values.ContainsKey("source") ? Source(args["source"]!, "$.args.source") : "",
            Argv = values.GetValueOrDefault("argv") as string[] ?? [],
            Wsgi = values.GetValueOrDefault("wsgi") as string,
            Env = values.GetValueOrDefault("env") as Dictionary<string, string> ?? [],
            EnvFrom = EnvFrom(args, values.GetValueOrDefault("env-from") as string[] ?? []),
            EnvFiles = EnvFiles(args, values),
            Interpreter = values.ContainsKey("interpreter") ? Interpreter(args["interpreter"]!) : null,
        };
    }

    private string[] EnvFrom(JsonTree args, string[] names)
    {
        if (names.FirstOrDefault(name => name.Contains('=') || name.Contains('\0')) is { } wrong)
        {
            problems.Add(
                args["env-from"]!.Offset, "$.args.env-from",
                $"'{JsonPath.Shown(wrong)}' is no variable's name: it has no '='; a value is given with 'env'");
        }

        return names;
    }

    private Dictionary<string, string> EnvFiles(JsonTree args, Dictionary<string, object> values)
    {
        Dictionary<string, string> paths = [];
        foreach ((string name, string text) in values.GetValueOrDefault("env-files") as Dictionary<string, string> ?? [])
        {
            JsonTree value = args["env-files"]![name]!;
            string at = JsonPath.Member("$.args.env-files", name);
            string other = values.GetValueOrDefault("env") is Dictionary<string, string> env && env.ContainsKey(name) ? "env"
                : values.GetValueOrDefault("env-from") is string[] from && from.Contains(name) ? "env-from" : "";
            bool isCredential = CredentialPath.IsCredential(text);
            paths[name] = isCredential || text.Length == 0 ? text : FullPath(text);
            if (other.Length > 0)
            {
                problems.Add(value.Offset, at, $"'{other}' gives this variable a value too");
            }
            else if (text.Length == 0)
            {
                problems.Wrong(value, at, "the path of a file");
            }
            else if (checkFiles && !isCredential && !File.Exists(paths[name]))
            {
                problems.Add(value.Offset, at, $"there is no file {paths[name]}");
            }
        }

        return paths;
    }

    private string? Interpreter(JsonTree value)
    {
        const string At = "$.args.interpreter";
        if (value.Text.Contains('\0') || value.Text.Contains("://", StringComparison.Ordinal))
        {
            problems.Wrong(value, At, "an absolute path, or one relative to the manifest");
            return null;
        }

        string full = FullPath(value.Text);
        if (checkFiles && !File.Exists(full))
        {
            problems.Add(value.Offset, At, $"there is no file {full}");
        }

        return full;
    }

    private string FullPath(string text) => Path.GetFullPath(text, Path.GetDirectoryName(Path.GetFullPath(filePath)) ?? "/");

    private string Source(JsonTree value, string path)
    {
        const string Local = "local://", AssemblyEnd = ".dll";
        bool isLocal = value.Text.StartsWith(Local, StringComparison.Ordinal);
        string text = isLocal ? value.Text[Local.Length..] : value.Text;
        if (text.Length == 0 || text.Contains('\0') || (isLocal ? !text.StartsWith('/') : text.Contains("://", StringComparison.Ordinal)))
        {
            problems.Wrong(value, path, "local:///absolute/path, or a path relative to the manifest");
            return "";
        }

        string full = FullPath(text);
        int assembly = full.LastIndexOf(AssemblyEnd + ":", StringComparison.Ordinal); // App.dll:Namespace.Class names a class of it
        string file = assembly < 0 ? full : full[..(assembly + AssemblyEnd.Length)];
        if (checkFiles && !File.Exists(file) && !Directory.Exists(file))
        {
            problems.Add(value.Offset, path, $"there is no file {file}");
        }

        return full;
    }

    private EngineSettings Engine(JsonTree? item, JsonTree root, AppType? type)
    {
        Dictionary<string, object> values = item is null ? [] : _keys.Read(item, "$.engine", ManifestKeys.Engine);
        foreach ((string key, object value) in defaults?.Values ?? [])
        {
            if (item?[key] is null)
            {
                values[key] = value;
            }
        }

        EngineSettings settings = EngineReader.From(values);
        EngineReader.Check(problems, item ?? root, values, settings, type);
        return settings;
    }

    private IsolationSettings Isolation(JsonTree item, BackendType backend) =>
        new IsolationReader(problems, item).Read(_keys.Read(item, "$.isolation", IsolationKeys.All), backend);

    private AppPlacement Placement(JsonTree item)
    {
        const string at = "$.cluster";
        Dictionary<string, object> values = _keys.Read(item, at, ManifestKeys.Cluster);
        Dictionary<string, IReadOnlyList<string>> where = [];
        KeySpec list = new("where", KeyKind.TextList, "");
        foreach (JsonMember label in (values.GetValueOrDefault("where") as JsonTree)?.Members ?? [])
        {
            string place = JsonPath.Member($"{at}.where", label.Name);
            if (_keys.ReadValue(list, label.Value, place) is string[] any && !where.TryAdd(label.Name, any))
            {
                problems.Add(label.Offset, place, "the key stands here twice");
            }
        }

        return new AppPlacement
        {
            Nodes = (int?)(values.GetValueOrDefault("nodes") as long?),
            Where = where,
            GoesOnWithoutEngine = values.GetValueOrDefault("without-engine") is "last",
            Forwards = values.GetValueOrDefault("forward") as bool? ?? true,
            Rollout = values.TryGetValue("rollout", out object? rollout) ? Rollout((JsonTree)rollout) : new AppRollout(),
        };
    }

    private AppRollout Rollout(JsonTree item)
    {
        Dictionary<string, object> values = _keys.Read(item, "$.cluster.rollout", ManifestKeys.Rollout);
        AppRollout usual = new();
        string? batch = values.GetValueOrDefault("batch") as string;
        return new AppRollout
        {
            Batch = batch is null || batch.EndsWith('%') ? usual.Batch : int.Parse(batch, CultureInfo.InvariantCulture),
            BatchPercent = batch?.EndsWith('%') == true ? int.Parse(batch[..^1], CultureInfo.InvariantCulture) : null,
            SettleMs = values.GetValueOrDefault("settle") as long? ?? usual.SettleMs,
            MaxErrorsPercent = (int)(values.GetValueOrDefault("max-errors") as long? ?? usual.MaxErrorsPercent),
            RollsBack = values.GetValueOrDefault("on-failure") is not "stop",
        };
    }

    private string? Pubsub(JsonTree item)
    {
        Dictionary<string, object> values = _keys.Read(item, "$.pubsub", ManifestKeys.Pubsub);
        if (values.GetValueOrDefault("endpoint") is not string endpoint)
        {
            return null;
        }

        _endpoints.Check(item["endpoint"], "$.pubsub.endpoint", "$.pubsub", "pubsub (a ZeroMQ socket)", binds: true);
        return endpoint;
    }
}
