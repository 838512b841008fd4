using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Cocaine.Fast.Web.Tests;

/// <summary>The daemon's door for HTTP.</summary>
[Collection(nameof(Alone))]
public sealed class WebDoorTests : IDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_reader_on_this_host_gets_the_metrics_in_the_form_that_it_likes_and_others_nothing()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, "\"web\": { \"endpoint\": \"tcp://127.0.0.1:0\" }");
        using HttpClient client = new() { BaseAddress = new Uri(Address(serve)) };
        HttpResponseMessage plain = await client.GetAsync("/metrics");
        string text = await plain.Content.ReadAsStringAsync();
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", plain.Content.Headers.ContentType!.ToString());
        Assert.Contains("# TYPE cocaine_loop_turns_total counter\n", text);
        Assert.DoesNotContain("EOF", text);
        const string Prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        foreach ((string accept, bool isOpen) in ((string, bool)[])[
            (Prometheus, true), ("application/openmetrics-text", true), ("application/openmetrics-text; version=\"1.0.0\"", true),
            ("application/openmetrics-text;version=2.0.0", false), ("application/openmetrics-text;q=0.2,text/plain", false), ("*/*", false), ("%%", false)])
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/metrics");
            request.Headers.TryAddWithoutValidation("Accept", accept);
            HttpResponseMessage answer = await client.SendAsync(request);
            string body = await answer.Content.ReadAsStringAsync();
            Assert.Equal((accept, isOpen), (accept, body.EndsWith("\n# EOF\n", StringComparison.Ordinal)));
            Assert.Equal(isOpen, body.Contains("# TYPE cocaine_loop_turns counter\n"));
            Assert.Contains("cocaine_loop_turns_total{loop=\"0\"}", body);
        }

        Assert.Equal((HttpStatusCode)421, await CodeAsync(client, "/metrics", host: "evil.example"));
        Assert.Equal(HttpStatusCode.OK, await CodeAsync(client, "/metrics", host: "localhost:1"));
        Assert.Equal(HttpStatusCode.NotFound, await CodeAsync(client, "/"));
        Assert.Equal(HttpStatusCode.NotFound, await CodeAsync(client, "/metrics/x"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.PostAsync("/metrics", null)).StatusCode);
        Assert.Equal((HttpStatusCode)431, await CodeAsync(client, "/metrics", new string('x', 20_000)));
        Assert.Contains(await BytesAsync(serve, "GET /metrics HTTP/1.1\r\n\r\n"), (string[])["400"]);
        Assert.Equal(HttpStatusCode.OK, await CodeAsync(client, "/metrics")); // and it goes on
        Assert.Equal((0, true), (await StopAsync(serve), serve.Log.Contains("web: metrics for readers on this host at tcp://127.0.0.1:")));
    }

    [Fact]
    public async Task A_token_is_asked_for_and_a_file_that_others_can_read_is_refused()
    {
        string file = _folder.Write("token", Token + "\n");
        string more = $"\"web\": {{ \"endpoint\": \"ipc://{_folder["web.sock"]}\", \"token-file\": \"{file}\" }}";
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        using (ServeProcess open = ServeProcess.Start(_folder, more))
        {
            Assert.Equal(1, await open.ExitAsync());
            Assert.Contains("web.token-file", open.Log);
            Assert.Contains("chmod 600", open.Log);
        }

        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, more);
        using SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, stop) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder["web.sock"]), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using HttpClient client = new(handler) { BaseAddress = new Uri("http://node") };
        Assert.Equal(HttpStatusCode.Unauthorized, await CodeAsync(client, "/metrics"));
        Assert.Equal(HttpStatusCode.Unauthorized, await CodeAsync(client, "/nothing"));
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token + "x");
        Assert.Equal(HttpStatusCode.Unauthorized, await CodeAsync(client, "/metrics"));
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        Assert.Equal(HttpStatusCode.OK, await CodeAsync(client, "/metrics"));
        Assert.Equal(0, await StopAsync(serve));
        Assert.False(File.Exists(_folder["web.sock"]));
        Assert.DoesNotContain(Token, serve.Log);
    }

    [Fact]
    public async Task A_flood_of_connections_keeps_nobody_from_reading_and_a_taken_port_ends_the_start_with_its_reason()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, "\"web\": { \"endpoint\": \"tcp://127.0.0.1:0\" }");
        int Descriptors() => Directory.GetFileSystemEntries($"/proc/{serve.Process.Id}/fd").Length;
        int before = Descriptors();
        List<TcpClient> flood = [];
        for (int i = 0; i < 300; i++)
        {
            flood.Add(new TcpClient("127.0.0.1", new Uri(Address(serve)).Port));
        }

        await RunProcess.UntilAsync(() => Descriptors() <= before + 64 + 8, () => $"{Descriptors()} descriptors, {before} before"); // 64 stay
        flood.ForEach(peer => peer.Dispose());
        using HttpClient client = new() { BaseAddress = new Uri(Address(serve)) };
        await RunProcess.UntilAsync(() => ReadsAsync(client).GetAwaiter().GetResult(), () => "nobody can read any more");
        using TestFolder other = new();
        using ServeProcess second = ServeProcess.Start(other, $"\"web\": {{ \"endpoint\": \"tcp://127.0.0.1:{client.BaseAddress.Port}\" }}");
        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains($"cannot listen on tcp://127.0.0.1:{client.BaseAddress.Port}", second.Log);
        Assert.Equal(0, await StopAsync(serve));
    }

    [Fact]
    public async Task Without_the_door_nothing_of_it_is_loaded()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string maps = File.ReadAllText($"/proc/{serve.Process.Id}/maps");
        Assert.Contains("Cocaine.Fast.Node.dll", maps);
        Assert.DoesNotContain("AspNetCore", maps);
        Assert.DoesNotContain("Cocaine.Fast.Web.dll", maps);
        Assert.Equal(0, await StopAsync(serve));
    }

    private static async Task<bool> ReadsAsync(HttpClient client)
    {
        try
        {
            return await CodeAsync(client, "/metrics") == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<HttpStatusCode> CodeAsync(HttpClient client, string path, string? header = null, string? host = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        request.Headers.Host = host;
        if (header is not null)
        {
            request.Headers.Add("x-long", header);
        }

        using HttpResponseMessage answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<string> BytesAsync(ServeProcess serve, string text)
    {
        using TcpClient peer = new("127.0.0.1", new Uri(Address(serve)).Port);
        await peer.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
        using StreamReader reader = new(peer.GetStream());
        return (await reader.ReadLineAsync())!.Split(' ')[1];
    }

    private static string Address(ServeProcess serve) =>
        System.Text.RegularExpressions.Regex.Match(serve.Log, @"readers on this host at tcp(://127\.0\.0\.1:\d+)").Groups[1].Value.Insert(0, "http");

    private static async Task<int> StopAsync(ServeProcess serve)
    {
        serve.Signal("TERM");
        return await serve.ExitAsync();
    }
}
