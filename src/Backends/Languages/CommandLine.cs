using System.Globalization;
using System.Reflection;
using Cocaine.Fast.Backends.Isolation;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Trust;
using Cocaine.Fast.Worker.SharedObjects;

namespace Cocaine.Fast.Backends.Languages;

/// <summary>The command line and environment of a worker process.</summary>
/// <param name="Program">Absolute path of the program.</param>
/// <param name="Arguments">Words after the program.</param>
/// <param name="Environment">The whole environment.</param>
internal sealed record WorkerCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The confinement of the worker.</summary>
    public Confinement Confinement { get; init; } = Confinement.None;

    /// <summary>The descriptor of the page beside the worker's socket; the launch does not close it. -1 = none.</summary>
    public int BeginPage { get; init; } = -1;
}

/// <summary>Turns a manifest's type and args into a command line.</summary>
internal sealed class CommandLine(string sdkDirectory)
{
    /// <summary>The search path for programs in a worker's environment.</summary>
    public const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The longest secret of args.env-files: Linux takes no longer variable (MAX_ARG_STRLEN is 128 KiB, with the name).</summary>
    private const int MostSecretBytes = 64 << 10;

    /// <summary>The command of one worker of an app.</summary>
    /// <exception cref="IOException">The interpreter or the SDK is not on this machine; the text says what to install.</exception>
    public WorkerCommand For(AppManifest app, Confinement confinement, string uuid, string endpoint, LocatorAddress locator)
    {
        List<string> words = [];
        string program = ProgramOf(app, words);
        words.AddRange(["--app", app.Name, "--uuid", uuid, "--endpoint", endpoint, "--locator", locator.Words, "--protocol", "1"]);
        if (app.Code.Wsgi is { } application)
        {
            words.AddRange(["--wsgi", application]);
        }

        if (app.Type is not (AppType.Binary or AppType.Cpp) || IsSharedObject(app))
        {
            words.Add(app.Code.Source);
        }

        words.AddRange(app.Code.Argv);
        return new WorkerCommand(program, words, EnvironmentOf(app, confinement, locator)) { Confinement = confinement };
    }

    /// <summary>Checks that an app's workers can be started on this machine.</summary>
    /// <exception cref="IOException">The workers cannot be started; the text names the missing part.</exception>
    public void Check(AppManifest app)
    {
        FindProgram(app);
        EnvironmentOf(app, Confinement.None, default);
    }

    /// <summary>Checks that the program of an app's workers is there: the interpreter and the SDK, or the app itself.</summary>
    /// <exception cref="IOException">The program is missing; the text says where the node looked for it.</exception>
    public void FindProgram(AppManifest app) => ProgramOf(app, []);

    private string ProgramOf(AppManifest app, List<string> words)
    {
        switch (app.Type)
        {
            case AppType.Python:
                words.Add(Sdk("python/cocaine-worker.py"));
                return Interpreter.PathOf(app);
            case AppType.Perl:
                words.Add(Sdk("perl/cocaine-worker.pl"));
                return Interpreter.PathOf(app);
            case AppType.JavaScript:
                words.Add("--trace-sigint"); // SIGINT shows the stack of a busy loop; no signal handler in JavaScript can
                words.Add(Sdk("javascript/cocaine-worker.js"));
                return Interpreter.PathOf(app);
            case AppType.DotNet:
            case AppType.Cpp when IsSharedObject(app):
                words.AddRange(DotNetWorker());
                return DotNetHost();
            case AppType.Binary or AppType.Cpp:
                return File.Exists(app.Code.Source) ? app.Code.Source : throw new IOException($"{app.Code.Source} does not exist");
            default:
                throw new IOException($"this build has no SDK for {app.Type.ToString().ToLowerInvariant()} apps");
        }
    }

    /// <summary>A C++ app that is a library: the .NET worker loads it, and the app serves by itself.</summary>
    private static bool IsSharedObject(AppManifest app) => app.Type == AppType.Cpp && NativeApp.IsSharedObject(app.Code.Source);

    private string Sdk(string file)
    {
        string path = Path.Combine(sdkDirectory, file);
        return File.Exists(path) ? path : throw new IOException($"the SDK file {path} is missing: build with scripts/build");
    }

    private string[] DotNetWorker()
    {
        const string Name = "Cocaine.Fast.Worker.dll", Shared = "Microsoft.Extensions.Logging.Abstractions.dll";
        string published = Path.Combine(sdkDirectory, "dotnet", Name);
        if (File.Exists(published))
        {
            return [published];
        }

        // Beside a program that embeds a node. When the program is built on ASP.NET, some of the worker's assemblies are not beside it but
        // in that framework, and the worker's own files do not name the framework: so the worker gets the program's files.
        string beside = Path.Combine(AppContext.BaseDirectory, Name);
        string program = Path.Combine(AppContext.BaseDirectory, $"{Assembly.GetEntryAssembly()?.GetName().Name}");
        string configuration = program + ".runtimeconfig.json", dependencies = program + ".deps.json";
        return File.Exists(Path.Combine(AppContext.BaseDirectory, Shared)) || !File.Exists(configuration) || !File.Exists(dependencies)
            ? [beside] : ["exec", "--runtimeconfig", configuration, "--depsfile", dependencies, beside];
    }

    private static string DotNetHost()
    {
        string? runtime = Path.GetDirectoryName(typeof(object).Assembly.Location); // …/shared/Microsoft.NETCore.App/10.0.x
        string host = Path.GetFullPath(Path.Combine(runtime ?? "/", "../../../dotnet"));
        return File.Exists(host) ? host : Interpreter.InFolders("dotnet", "install the .NET 10 runtime");
    }

    private static string Secret(string name, string path)
    {
        try
        {
            string file = CredentialPath.Expand(path, EnvironmentNames.Get(EnvironmentNames.CredentialsDirectory));
            return SecretText.Read(file, MostSecretBytes, CredentialPath.IsCredential(path));
        }
        catch (IOException failure)
        {
            throw new IOException($"args.env-files: {name}: {failure.Message}", failure);
        }
    }

    private static Dictionary<string, string> EnvironmentOf(AppManifest app, Confinement confinement, LocatorAddress locator)
    {
        Dictionary<string, string> environment = new()
        {
            ["PATH"] = SearchPath,
            ["LANG"] = "C.UTF-8",
            ["HOME"] = confinement.Account is { } account ? account.Home ?? "/"
                : EnvironmentNames.Get(EnvironmentNames.Home) ?? "/",
            [EnvironmentNames.AppVersion] = app.Version.ToString(CultureInfo.InvariantCulture),
        };
        if (locator.Endpoint is { } where)
        {
            environment[EnvironmentNames.Locator] = where;
        }

        if (app.Engine.HeartbeatPeriodMs < EngineSettings.UsualHeartbeatMs)
        {
            environment[EnvironmentNames.HeartbeatMs] = app.Engine.HeartbeatPeriodMs.ToString(CultureInfo.InvariantCulture);
        }

        if (app.Type == AppType.DotNet || IsSharedObject(app))
        {
            environment["DOTNET_TieredPGO"] = "1";
            environment["DOTNET_gcConcurrent"] = "0";

            // Otherwise the runtime leaves sockets and pipes for debuggers in /tmp, three for each worker that was killed.
            environment["DOTNET_EnableDiagnostics"] = "0";
        }

        // The time zone belongs to the machine, not to the app: workers have the node's zone.
        if (EnvironmentNames.Get(EnvironmentNames.TimeZone) is { } zone)
        {
            environment[EnvironmentNames.TimeZone] = zone;
        }

        foreach (string name in app.Code.EnvFrom)
        {
            environment[name] = Environment.GetEnvironmentVariable(name)
                ?? throw new IOException($"args.env-from: the node's environment has no {name}: set it where the node is started");
        }

        foreach ((string name, string path) in app.Code.EnvFiles)
        {
            environment[name] = Secret(name, path);
        }

        foreach ((string name, string value) in app.Code.Env)
        {
            environment[name] = value;
        }

        return environment;
    }
}
