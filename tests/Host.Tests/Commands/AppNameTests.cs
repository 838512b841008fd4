using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>Apps that are found by their names: by commands, and by each other as in examples/asking.</summary>
[Collection(nameof(Alone))]
public sealed class AppNameTests : IDisposable
{
    private static readonly string Example = Path.Combine(Repository.Root, "examples/asking");
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("process")]
    [InlineData("thread")]
    public async Task The_example_of_an_app_that_asks_another_one_works_and_follows_the_other_app(string backend)
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, "\"locator\": \"tcp://127.0.0.1:19418\"");
        string orders = File.ReadAllText(Path.Combine(Example, "orders.json"))
            .Replace("\"process\"", $"\"{backend}\"", StringComparison.Ordinal)
            .Replace("\"bin/", $"\"{Example}/bin/", StringComparison.Ordinal);
        await RunAsync(serve, "app", "create", Path.Combine(Example, "prices.json"));
        await RunAsync(serve, "app", "create", _folder.Write("orders.json", orders));
        const string Call = "call orders total --locator tcp://127.0.0.1:19418 --data";
        Assert.Equal((0, "3.70", ""), await RunAsync($"{Call} 'apple 3, melon 1'"));
        (int code, _, string errors) = await RunAsync($"{Call} 'apple 3, ball 1'");
        Assert.Equal(1, code);
        Assert.Contains("no ball here", errors);
        await RunAsync(serve, "app", "delete", "prices");
        (code, _, errors) = await RunAsync($"{Call} 'pear 2'");
        Assert.Equal(1, code);
        Assert.StartsWith("error 502: ", errors);
        await RunAsync(serve, "app", "create", Path.Combine(Example, "prices.json"));
        Assert.Equal((0, "0.90", ""), await RunAsync($"{Call} 'pear 2'"));
    }

    [Theory]
    [InlineData("call nobody echo", 1, "no service named nobody here")]
    [InlineData("call nobody echo --locator tcp://127.0.0.1:1", 3, "no locator can be asked where the app 'nobody' is: cannot connect to tcp://127.0.0.1:1")]
    [InlineData("call tcp://127.0.0.1:1 echo --locator tcp://127.0.0.1:2", 2, "--locator finds apps by their names")]
    [InlineData("info nobody", 1, "no service named nobody here")]
    public async Task An_app_that_is_not_found_is_told(string words, int code, string text)
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, "\"locator\": \"tcp://127.0.0.1:19418\"");
        (int actual, string output, string errors) = await HostProcess.RunAsync(_folder, words, before: "export COCAINE_LOCATOR=tcp://127.0.0.1:19418;");
        Assert.Equal((code, ""), (actual, output));
        Assert.Contains(text, errors);
    }

    /// <summary>The locator has no TLS and the app has: its address is no name of a certificate, so the caller says the name.</summary>
    [Fact]
    public async Task An_app_with_TLS_is_found_by_a_locator_without()
    {
        TestCertificates ca = new(_folder);
        TestCertificate server = ca.Issue("server", new CertificateForm { Dns = ["node1"] });
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $$"""
            "locator": "tcp://127.0.0.1:19418",
            "security": { "tls": { "certificate": "{{server.CertificateFile}}", "key": "{{server.KeyFile}}" },
                          "rights": [ { "who": "@anyone", "call": { "*": "*" } } ] }
            """);
        await RunAsync(serve, "app", "create", _folder.Write("shop.json", $$"""
            { "name": "shop", "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", "engine": { "pool-limit": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*", "tls": "on" } } }
            """));
        string tls = $"--locator tcp://127.0.0.1:19418 --ca {ca.CaFile}";
        Assert.Equal((0, "hello", ""), await RunAsync($"call shop echo --data hello {tls} --server-name node1"));
        (int code, string output, string errors) = await RunAsync(
            $"bench shop echo --connections 2 --in-flight 2 --duration 0.2 {tls} --server-name node1");
        Assert.True(code == 0 && output.Contains("2 connections", StringComparison.Ordinal), output + errors);
        (code, _, errors) = await RunAsync($"bench shop echo --duration 0.2 {tls}");
        Assert.Equal(3, code);
        Assert.Contains("mismatch", errors); // of the certificate's name and the address
        (code, _, errors) = await RunAsync("bench nobody echo --locator tcp://127.0.0.1:19418");
        Assert.Equal(1, code);
        Assert.Contains("no service named nobody here", errors);
    }

    private static async Task RunAsync(ServeProcess serve, params string[] words) =>
        Assert.True((await serve.RunAsync(words)).Code == 0, serve.Log);

    private Task<(int Code, string Output, string Errors)> RunAsync(string words) => HostProcess.RunAsync(_folder, words);
}
