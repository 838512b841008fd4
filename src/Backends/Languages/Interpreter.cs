using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Backends.Languages;

/// <summary>The program that runs an app's source: from the manifest, else from the node's environment, else from the system.</summary>
/// <param name="Program">The program's usual name.</param>
/// <param name="Variable">The environment variable of the node that names another program.</param>
/// <param name="Install">How people install the program.</param>
internal sealed record Interpreter(string Program, string Variable, string Install)
{
    private const int MayRun = 1; // X_OK of access(2)

    private static readonly Interpreter Python = new("python3", EnvironmentNames.Python, "apt-get install python3 (3.9 or later)");
    private static readonly Interpreter Perl = new("perl", EnvironmentNames.Perl, "apt-get install perl (5.30 or later)");
    private static readonly Interpreter JavaScript = new("node", EnvironmentNames.NodeJs, "apt-get install nodejs (18 or later)");

    /// <summary>The absolute path of an app's interpreter.</summary>
    /// <exception cref="IOException">
    /// The interpreter is missing or cannot be run; the text says where the node looked for it and how to solve the problem.
    /// </exception>
    public static string PathOf(AppManifest app)
    {
        Interpreter usual = app.Type switch
        {
            AppType.Python => Python,
            AppType.Perl => Perl,
            AppType.JavaScript => JavaScript,
            _ => throw new IOException($"{app.Type} apps have no interpreter"),
        };
        return app.Code.Interpreter is { } own ? Runnable(own, "args.interpreter of the manifest") : usual.Find();
    }

    /// <summary>The absolute path of a program; the system's folders come first.</summary>
    /// <exception cref="IOException">The program is in none of the folders.</exception>
    public static string InFolders(string program, string remedy)
    {
        string[] folders = [.. Folders().Distinct()];
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new IOException($"{program} was not found in {string.Join(", ", folders)}: {remedy}");
    }

    private string Find()
    {
        string remedy = $"{Install}, or name one with args.interpreter of the manifest or with {Variable} of the node's environment";
        return EnvironmentNames.Get(Variable) is not { } named ? InFolders(Program, remedy)
            : named.Contains('/') ? Runnable(Path.GetFullPath(named), $"{Variable} of the node's environment")
            : InFolders(named, $"{Variable} of the node's environment names it");
    }

    private static string Runnable(string path, string whose) =>
        !File.Exists(path) ? throw new IOException($"there is no {path}, which {whose} names as the interpreter")
        : LibC.access(path, MayRun) != 0 ? throw new IOException($"{path}, which {whose} names as the interpreter, cannot be run: chmod +x")
        : path;

    private static IEnumerable<string> Folders() =>
        ("/usr/bin:" + (EnvironmentNames.Get(EnvironmentNames.SearchPath) ?? CommandLine.SearchPath)).Split(':').Where(Path.IsPathRooted);
}
