using System.Diagnostics;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

/// <summary>The module cocaine.sealed_client of Python, against a real node.</summary>
public sealed class SealedPythonClientTests : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly SealKeys _keys = new("billing");

    public void Dispose() => _keys.Dispose();

    [NeedsFact("python3", "python3 python3-cryptography")]
    public async Task Its_calls_are_answered_and_its_errors_are_sealed()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        AppManifest manifest = TestApps.DotNet(BackendType.Thread);
        RunningApp app = await node.AddAsync(manifest with
        {
            Tasks = [manifest.Tasks[0] with { Keys = new Dictionary<string, object> { ["sealed"] = "required" } }],
        });
        (int code, string output, string errors) = await RunAsync($$"""
            from cocaine.sealed_client import CallError, SealedClient
            with SealedClient("{{app.Endpoints[0].Endpoint}}", "{{app.Name}}", "{{_keys.KeyOf("billing")}}", "{{_keys.NodeKey}}") as client:
                for i in range(300):
                    assert client.call("echo", b"hello %d" % i, request_timeout=20000, urgent=i % 2, retry_limit=1) == b"hello %d" % i
                assert client.call("echo") == b""
                large = bytes(range(256)) * 40000
                assert client.call("echo", large) == large
                assert b"".join(client.stream("echo", (b"one;", b"two;", b"three"))) == b"one;two;three"
                print(list(client.stream("count", (b"3",))))
                try:
                    client.call("fail", b"the reason")
                except CallError as error:
                    print(error.category, error.code, error)
            try:
                with SealedClient("{{app.Endpoints[0].Endpoint}}", "another", "{{_keys.KeyOf("billing")}}", "{{_keys.NodeKey}}") as client:
                    client.call("echo", b"x")
            except CallError as error:
                print(error.code, error)
            """);
        Assert.Equal(("", 0), (errors, code));
        Assert.Equal(
            """
            [b'1\n', b'2\n', b'3\n']
            1000 502 InvalidOperationException: the reason
            401 seal: cannot be opened (this error is not sealed)
            """.ReplaceLineEndings("\n"), output.Trim());
        Assert.Equal(305UL, app.Engine.Counters.JobsAccepted);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string program)
    {
        ProcessStartInfo start = new(Python, ["-c", program.ReplaceLineEndings("\n")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PYTHONPATH"] = Path.Combine(Repository.Root, "workers/python"), ["PYTHONDONTWRITEBYTECODE"] = "1" },
        };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token), errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
