using System.Diagnostics;
using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Keys;

/// <summary>A folder in which a test runs <c>cocaine-fast keys</c> and openssl.</summary>
internal sealed class KeyFolder : IDisposable
{
    public TestFolder Files { get; } = new();

    public string this[string name] => Files[name];

    /// <summary>Runs <c>cocaine-fast keys</c> with these words.</summary>
    public Task<(int Code, string Output, string Errors)> KeysAsync(string words, string before = "") =>
        HostProcess.RunAsync(Files, $"keys {words}", before: $"cd '{Files.Path}'; {before}");

    /// <summary>Runs <c>cocaine-fast keys</c>, which must work; its standard output.</summary>
    public async Task<string> MadeAsync(string words, string before = "")
    {
        (int code, string output, string errors) = await KeysAsync(words, before);
        Assert.True(code == 0, $"keys {words}: {code}\n{output}\n{errors}");
        Assert.Empty(errors);
        return output;
    }

    /// <summary>Runs openssl in the folder; all of its output.</summary>
    public async Task<(int Code, string Output)> OpenSslAsync(string words)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", $"exec openssl {words} 2>&1"])
        {
            WorkingDirectory = Files.Path,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    public UnixFileMode Mode(string name) => File.GetUnixFileMode(this[name]);

    public void Dispose() => Files.Dispose();
}
