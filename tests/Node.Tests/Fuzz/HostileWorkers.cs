using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Fuzz;

/// <summary>
/// Apps with workers of the test's: each process is a shell that tells its words through a pipe and waits for its end, and the test
/// connects in its place.
/// </summary>
internal sealed class HostileWorkers : IDisposable
{
    private const string End = "end";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TestNode _node;
    private readonly string _program;
    private readonly FileStream _pipe;
    private readonly Channel<string> _starts = Channel.CreateUnbounded<string>();
    private readonly Thread _reader;
    private int _apps;

    public HostileWorkers(TestNode node, string folder)
    {
        _node = node;
        string pipe = Path.Combine(folder, "starts");
        _program = Path.Combine(folder, "worker");
        File.WriteAllText(_program, $"#!/bin/sh\necho \"$*\" > '{pipe}'\nexec sleep 100\n");
        File.SetUnixFileMode(_program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using (Process make = Process.Start("/usr/bin/mkfifo", [pipe]))
        {
            make.WaitForExit();
        }

        _pipe = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    /// <summary>
    /// Runs an app with so many jobs; each worker is one session with the test, which returns its number of inputs. Each job has an end,
    /// whatever the workers do.
    /// </summary>
    public async Task<int> RunAppAsync(int jobs, Func<Socket, string, int> session)
    {
        RunningApp app = await _node.AddAsync(Manifest($"hostile-{_apps++}"), waitReady: false);
        int inputs = 0;
        await using (CocaineClient client = await TestNode.ConnectAsync(app))
        {
            Task[] calls = [.. Enumerable.Range(0, jobs).Select(_ => CallAsync(client))];
            Task all = Task.WhenAll(calls);
            while (!all.IsCompleted && await IsAsync(Task.WhenAny(all, _starts.Reader.WaitToReadAsync().AsTask())))
            {
                inputs += _starts.Reader.TryRead(out string? words) ? Connect(words, session) : 0;
            }

            Assert.True(all.IsCompleted, $"{calls.Count(call => !call.IsCompleted)} jobs have no answer: {await app.InfoJsonAsync()}");
            await all;
        }

        Assert.True(app.Engine.Counters.Holds(0, 0), await app.InfoJsonAsync());
        await _node.Node.DeleteAsync(app.Name, TimeSpan.FromSeconds(10));
        while (_starts.Reader.TryRead(out _))
        {
            // started, and ended with the app
        }

        return inputs;
    }

    public void Dispose()
    {
        _pipe.Write(Encoding.ASCII.GetBytes(End + "\n"));
        _reader.Join(Limit);
        _pipe.Dispose();
    }

    private static int Connect(string words, Func<Socket, string, int> session)
    {
        string[] parts = words.Split(' ');
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 2000, SendTimeout = 2000 };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(parts[Array.IndexOf(parts, "--endpoint") + 1]));
            return session(socket, parts[Array.IndexOf(parts, "--uuid") + 1]);
        }
        catch (SocketException)
        {
            return 0; // the node has closed it, or has given the worker up before
        }
    }

    /// <summary>Something happened in time.</summary>
    private static async Task<bool> IsAsync(Task happens) => await Task.WhenAny(happens, Task.Delay(Limit)) == happens;

    private static async Task CallAsync(CocaineClient client)
    {
        try
        {
            await client.CallAsync("any", "request"u8.ToArray());
        }
        catch (CocaineException)
        {
            // an error is an answer, and from such workers the usual one
        }
    }

    private AppManifest Manifest(string name) => new()
    {
        Name = name,
        Type = AppType.Binary,
        Code = new CodeSource { Source = _program },
        Engine = new EngineSettings
        {
            PoolLimit = 8,
            QueueLimit = 1000,
            RetryLimit = 0,
            MinUptimeMs = 0,
            TerminationTimeoutMs = 50,
            Concurrency = 2,
            PipeSizeBytes = 1 << 16,
        },
        Tasks = [new TaskManifest { Name = "event", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"], Events = ["*"] }],
    };

    private void Read()
    {
        using StreamReader lines = new(_pipe, Encoding.ASCII, leaveOpen: true);
        while (lines.ReadLine() is { } line && line != End)
        {
            _starts.Writer.TryWrite(line);
        }
    }
}
