using System.Diagnostics;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Languages.Tests.Cpp;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

/// <summary>The clients of the SDKs that seal their calls, against a real node. The programs are in tests/contract/sealed.</summary>
public sealed class SealedClientTests : IDisposable
{
    private readonly SealKeys _keys = new("billing");

    public void Dispose() => _keys.Dispose();

    [NeedsFact("python3", "python3 python3-cryptography")]
    public Task The_python_client_seals() => CheckAsync("/usr/bin/python3", "python", "client.py");

    [NeedsFact("python3", "python3 python3-cryptography python3-zmq")]
    public async Task The_python_module_seals_frames_for_libzmq()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("zeromq-server"));
        (int code, string output, string errors) = await RunAsync(
            "/usr/bin/python3", Path.Combine(Repository.Root, "tests/contract/sealed/zeromq.py"), Path.Combine(Repository.Root, "workers/python"),
            app.Endpoints[0].Endpoint, app.Name, _keys.KeyOf("billing"), _keys.NodeKey);
        Assert.Equal(("", 0), (errors, code));
        Assert.Equal(
            """
            a record of the answer does not open: it was changed, moved, or comes from somebody else
            {"code":401,"message":"this door wants to know who calls: a sealed request"}
            """.ReplaceLineEndings("\n"), output.Trim());
        Assert.Equal(102UL, app.Engine.Counters.JobsAccepted);
    }

    [NeedsFact("node", "nodejs")]
    public Task The_javascript_client_seals() => CheckAsync("node", "javascript", "client.js");

    [SealingPerlFact]
    public Task The_perl_client_seals() => CheckAsync("perl", "perl", "client.pl");

    [SealingCppFact]
    public async Task The_cpp_client_seals()
    {
        using TestFolder folder = new();
        SealingCpp.Compile(Path.Combine(Repository.Root, "tests/contract/sealed/client.cpp"), folder["client"]);
        await CheckAsync(folder["client"], "cpp", null);
    }

    /// <summary>Records and keys that other libraries have made, and answers that are wrong in one respect.</summary>
    [SealingCppFact]
    public void The_cpp_headers_seal_and_open_as_other_libraries_do()
    {
        using TestFolder folder = new();
        SealingCpp.Compile(Path.Combine(Repository.Root, "tests/contract/cpp/sealing.cpp"), folder["sealing"]);
        SealingCpp.WriteVectors(folder);
        CppBuild.Run(folder["sealing"], folder.Path);
    }

    /// <summary>Its calls are answered, its errors are sealed, and a call for another app is refused.</summary>
    private async Task CheckAsync(string interpreter, string language, string? program)
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(App("native-server"));
        (int code, string output, string errors) = await RunAsync(
            interpreter,
            [.. program is null ? [] : (string[])[Path.Combine(Repository.Root, "tests/contract/sealed", program)],
                Path.Combine(Repository.Root, "workers", language), app.Endpoints[0].Endpoint, app.Name, _keys.KeyOf("billing"), _keys.NodeKey]);
        Assert.Equal(("", 0), (errors, code));
        Assert.Equal(
            """
            1 2 3
            1000 502 InvalidOperationException: the reason
            401 seal: cannot be opened (this error is not sealed)
            """.ReplaceLineEndings("\n"), output.Trim());
        Assert.Equal(305UL, app.Engine.Counters.JobsAccepted);
    }

    private static AppManifest App(string driver)
    {
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        TaskManifest task = manifest.Tasks[0];
        return manifest with
        {
            Tasks = [task with { Name = "echo", DriverType = driver, Keys = new Dictionary<string, object> { ["sealed"] = "required" } }],
        };
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string program, params string[] words)
    {
        ProcessStartInfo start = new(program, words)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" },
        };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token), errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}

/// <summary>A test that needs Perl with Crypt::JWT; without it it is reported as skipped, with the reason.</summary>
internal sealed class SealingPerlFactAttribute : FactAttribute
{
    public SealingPerlFactAttribute()
    {
        using Process? perl = NeedsFactAttribute.IsHere("perl") ? Process.Start(new ProcessStartInfo("perl", ["-MCrypt::JWT", "-e", "1"])
        {
            RedirectStandardError = true,
        }) : null;
        perl?.WaitForExit();
        Skip = perl?.ExitCode == 0 ? null : "Perl with Crypt::JWT is not on this machine: as root, apt-get install libcrypt-jwt-perl";
    }
}
