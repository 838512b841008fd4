using System.Text;
using Cocaine.Fast.Worker.Testing;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>The kit that runs an app's handlers without a node.</summary>
public class AppRunnerTests
{
    [Fact]
    public async Task Handlers_answer_as_a_caller_would_get_it()
    {
        using AppRunner app = new(typeof(Kit), "kit", version: 7);
        Assert.Equal("hello, you", (await app.CallAsync("hello", "you")).Text);
        Assert.Equal("hello, you", (await app.CallAsync("hello", "y", "ou")).Text);
        AppAnswer relayed = await app.CallAsync("relay", "one", "two");
        Assert.Equal(["one", "two"], relayed.Chunks.Select(Encoding.UTF8.GetString));
        Assert.Equal("from elsewhere", (await app.CallAsync("elsewhere")).Text);
        Assert.Equal("kit 7", (await app.CallAsync("whoami")).Text);
        string[] expected = [.. Enumerable.Range(0, 100).Select(i => $"hello, {i}")];
        AppAnswer[] many = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => app.CallAsync("hello", $"{i}")));
        Assert.Equal(expected, many.Select(answer => answer.Text));
    }

    [Fact]
    public async Task Errors_have_category_code_and_text()
    {
        using AppRunner app = new(typeof(Kit), "kit");
        Assert.Equal(new AppError(42, 77, "mine"), (await app.CallAsync("refuses")).Error);
        Assert.Equal(new AppError(43, 78, "own category"), (await app.CallAsync("category")).Error);
        Assert.Equal(new AppError(43, 79, "from elsewhere"), (await app.CallAsync("category_elsewhere")).Error);
        Assert.Equal(new AppError(1000, 404, "there is no event 'zork' in app 'kit'"), (await app.CallAsync("zork")).Error);
        AppAnswer failed = await app.CallAsync("fails", "no luck");
        Assert.Equal(new AppError(1000, 502, "InvalidOperationException: no luck"), failed.Error);
        Assert.Throws<InvalidOperationException>(() => failed.Body);
    }

    [Fact]
    public async Task A_chunk_that_is_too_long_is_refused_where_it_is_written()
    {
        const string Text = "a chunk has at most 67108864 bytes, and this one has 67108865: write it in pieces";
        using AppRunner app = new(typeof(Kit), "kit");
        foreach (string name in (string[])["long", "long_written", "long_elsewhere"])
        {
            AppAnswer answer = await app.CallAsync(name);
            Assert.Equal(new AppError(1000, 413, $"ChunkTooLongException: {Text}"), answer.Error);
            Assert.Equal(name == "long_written" ? 1 : 0, answer.Chunks.Count);
        }

        Assert.Equal(Text, (await app.CallAsync("cuts")).Text);
    }

    [Fact]
    public async Task Calls_have_headers_and_can_be_given_up()
    {
        using AppRunner app = new(typeof(Kit));
        AppCall call = new("about") { TraceId = 258, SpanId = 3, ParentId = 4, Headers = [("note", Utf8.Of("x"))] };
        Assert.Equal("258 3 4 x", (await app.CallAsync(call)).Text);
        Assert.Equal("0 0 0 none", (await app.CallAsync("about")).Text);
        AppAnswer givenUp = await app.CallAsync(new AppCall("relay") { Chunks = [Utf8.Of("one")], GivesUp = true });
        Assert.Equal("one", Encoding.UTF8.GetString(Assert.Single(givenUp.Chunks)));
        Assert.Equal((1000, 502), (givenUp.Error!.Category, givenUp.Error.Code));
    }

    [Fact]
    public void A_class_without_events_is_no_app() => Assert.Throws<AppLoadException>(() => new AppRunner(typeof(AppRunnerTests)));

    [Fact]
    public async Task The_app_is_disposed_with_its_runner_and_calls_that_wait_are_cancelled()
    {
        AppRunner app = new(typeof(Kit), "kit");
        Task<AppAnswer> waiting = app.CallAsync("waits");
        Assert.Equal("hello, you", (await app.CallAsync("hello", "you")).Text); // so the other one has begun
        app.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    public sealed class Kit(AppIdentity context)
    {
        [Event("hello")]
        public string Hello(string request) => $"hello, {request}";

        [Event("whoami")]
        public string WhoAmI(string request) => $"{context.AppName} {context.Version}";

        [Event("fails")]
        public string Fails(string request) => throw new InvalidOperationException(request);

        [Event("refuses")]
        public void Refuses(Request request, Response response) => response.Error(77, "mine");

        [Event("category")]
        public void Category(Request request, Response response) => response.Error(78, "own category", 43);

        [Event("category_elsewhere")]
        public Task CategoryElsewhere(Request request, Response response) => Task.Run(() => response.Error(79, "from elsewhere", 43));

        [Event("elsewhere")]
        public Task Elsewhere(Request request, Response response) => Task.Run(() => response.Write("from elsewhere"u8));

        [Event("long")]
        public byte[] Long(byte[] request) => new byte[(64 << 20) + 1];

        [Event("long_written")]
        public async Task LongWritten(Request request, Response response)
        {
            await response.WriteAsync("first"u8.ToArray());
            await response.WriteAsync(new byte[(64 << 20) + 1]);
        }

        [Event("long_elsewhere")]
        public Task LongElsewhere(Request request, Response response) => Task.Run(() => response.Write(new byte[(64 << 20) + 1]));

        [Event("cuts")]
        public void Cuts(Request request, Response response)
        {
            try
            {
                response.Write(new byte[(64 << 20) + 1]);
            }
            catch (ChunkTooLongException refused)
            {
                response.Write(Encoding.UTF8.GetBytes(refused.Message));
            }
        }

        [Event("waits")]
        public Task Waits(Request request, Response response) => new TaskCompletionSource().Task;

        [Event("about")]
        public void About(Request request, Response response)
        {
            string note = Encoding.UTF8.GetString(request.Header("note") ?? "none"u8.ToArray());
            response.Write(Encoding.UTF8.GetBytes($"{request.TraceId} {request.SpanId} {request.ParentId} {note}"));
        }

        [Event("relay")]
        public async ValueTask Relay(Request request, Response response)
        {
            while (await request.ReadAsync() is { } chunk)
            {
                await response.WriteAsync(chunk);
            }
        }
    }
}
