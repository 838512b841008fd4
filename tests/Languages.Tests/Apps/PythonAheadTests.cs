using System.Globalization;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

public class PythonAheadTests
{
    private const int Jobs = 4000;
    private const int Callers = 100;

    private const string Plain = """
        import os, time
        marks = os.open(os.environ["MARKS"], os.O_APPEND | os.O_WRONLY | os.O_CREAT)

        def whole(request):
            os.write(marks, request + b"\n")
            time.sleep(int(request) % 100 == 0 and 0.01)
            return request

        def streams(request, response):
            response.write(whole(request.body()))
        """;

    private const string Async = """
        import asyncio, os
        marks = os.open(os.environ["MARKS"], os.O_APPEND | os.O_WRONLY | os.O_CREAT)
        running = 0

        async def whole(request):
            global running
            running += 1
            assert running <= int(os.environ["MOST"]), "%d run" % running
            os.write(marks, request + b"\n")
            await asyncio.sleep(int(request) % 100 == 0 and 0.01)
            running -= 1
            return request

        async def streams(request, response):
            response.write(await whole(await request.body()))
        """;

    /// <summary>
    /// Some jobs take long, so others that stand behind them are taken back, and another worker runs them. How many depends on the machine.
    /// </summary>
    [Theory]
    [InlineData(Plain, 1)]
    [InlineData(Plain, 4)]
    [InlineData(Async, 1)]
    [InlineData(Async, 4)]
    public async Task Each_job_runs_once_whatever_the_node_takes_back(string code, int concurrency)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        string marks = Path.Combine(folder, "marks");
        await using TestNode node = TestNode.Start();
        AppManifest manifest = TestApps.Python(folder, code, new EngineSettings { Concurrency = concurrency, PoolLimit = 2, QueueLimit = Jobs });
        Dictionary<string, string> env = new() { ["MARKS"] = marks, ["MOST"] = concurrency.ToString(CultureInfo.InvariantCulture) };
        RunningApp app = await node.AddAsync(manifest with { Code = manifest.Code with { Env = env } });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        int last = 0;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref last) is int job && job <= Jobs)
            {
                byte[] request = Utf8.Of(job.ToString(CultureInfo.InvariantCulture)).ToArray();
                Assert.Equal(request, await client.CallAsync(job % 3 == 0 ? "streams" : "whole", request));
            }
        })));

        Assert.Equal(Enumerable.Range(1, Jobs), File.ReadLines(marks).Select(int.Parse).Order());
        Assert.Equal(0UL, app.Version.Engine.Counters.JobsRetried);
        Directory.Delete(folder, recursive: true);
    }
}
