using System.Diagnostics;

namespace Cocaine.Fast.Harness;

/// <summary>A folder of a user who has nothing else, and the environment of that user. Made by root.</summary>
internal sealed class Unprivileged : IDisposable
{
    public Unprivileged(uint user)
    {
        Folder = Directory.CreateTempSubdirectory("user-test-").FullName;
        Run("/bin/chown", $"{user}:{user}", Folder);
    }

    public string Folder { get; }

    /// <summary>For <c>export</c>: what of root's would be in the way.</summary>
    public string Environment =>
        $"HOME={Folder} TMPDIR={Folder} XDG_RUNTIME_DIR={Folder} XDG_STATE_HOME={Folder} DOTNET_CLI_HOME={Folder} DOTNET_EnableDiagnostics=0";

    public static void Run(string program, params string[] words)
    {
        using Process process = Process.Start(program, words);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
