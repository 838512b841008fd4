using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Backends.Languages;
using Cocaine.Fast.Backends.Processes;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Places;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The result of a worker's handshake: a conversation, or null because the worker does not ask for the pipe.</summary>
internal sealed record StartedWorker(Conversation? Conversation, bool AskedForPipe);

/// <summary>Starts a worker and shakes hands with it.</summary>
internal sealed class WorkerStart(ProcessLauncher launcher, WorkerCheckOptions options)
{
    public const string App = "worker-check";

    /// <summary>The app's version.</summary>
    public const int Version = 7;

    private static int _count;

    /// <summary>
    /// Starts a worker. With <paramref name="wantPipe"/> the worker may ask for the pipe; the conversation is null when it does not.
    /// </summary>
    /// <exception cref="CheckFailure">The worker does not start, or its handshake is wrong.</exception>
    public StartedWorker Start(bool wantPipe, bool refuse)
    {
        string uuid = Guid.NewGuid().ToString();
        string path = Path.Combine(Folders.Sockets(configured: null), $"{Environment.ProcessId}-check-{Interlocked.Increment(ref _count)}");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        WorkerProcess process;
        BeginPage page = BeginPage.Create(NodeEnd.MostBegun);
        try
        {
            process = WorkerProcess.Start(launcher, Command(uuid, path, wantPipe) with { BeginPage = page.Descriptor });
            page.CloseDescriptor();
        }
        catch (IOException failure)
        {
            page.Dispose();
            File.Delete(path);
            throw new CheckFailure(failure.Message);
        }

        NodeEnd? end = null;
        try
        {
            end = new NodeEnd(Accept(listener, process), process, page);
            return Shake(process, end, uuid, wantPipe, refuse);
        }
        catch
        {
            end?.Dispose();
            page.Dispose();
            process.Dispose();
            throw;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private WorkerCommand Command(string uuid, string path, bool wantPipe)
    {
        string[] own = ["--app", App, "--uuid", uuid, "--endpoint", path, "--locator", "127.0.0.1:10053", "--protocol", "1"];
        List<string> words = [.. options.Command];
        int place = words.IndexOf("{}");
        if (place >= 0)
        {
            words.RemoveAt(place);
        }

        words.InsertRange(place >= 0 ? place : words.Count, own);
        Dictionary<string, string> environment = new(options.Environment);
        environment.TryAdd("PATH", CommandLine.SearchPath);
        environment.TryAdd("LANG", "C.UTF-8");
        environment.TryAdd("HOME", EnvironmentNames.Get(EnvironmentNames.Home) ?? "/");
        environment[EnvironmentNames.AppVersion] = Version.ToString(CultureInfo.InvariantCulture);
        if (!wantPipe)
        {
            environment[EnvironmentNames.Pipe] = "0";
        }

        return new WorkerCommand(words[0], words[1..], environment);
    }

    private Socket Accept(Socket listener, WorkerProcess process)
    {
        for (long until = Environment.TickCount64 + (long)options.Patience.TotalMilliseconds; Environment.TickCount64 < until;)
        {
            if (listener.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
            {
                Socket socket = listener.Accept();
                socket.Blocking = false;
                return socket;
            }

            process.Look();
            if (process.End is { } how)
            {
                throw new CheckFailure($"it ended before it had connected: {how} {process.LastLines()}".TrimEnd());
            }
        }

        throw new CheckFailure($"it did not connect within {options.Patience.TotalSeconds:0.#} s {process.LastLines()}".TrimEnd());
    }

    private StartedWorker Shake(WorkerProcess process, NodeEnd end, string uuid, bool wantPipe, bool refuse)
    {
        Conversation conversation = new(process, end, App, uuid, options);
        Received hello = First(end, process);
        bool isHandshake = hello is { Channel: MessageWriter.ControlChannel, Type: ControlType.Handshake, Shape: ArgumentShape.Data };
        if (!isHandshake || hello is not { Arguments: 1 or 2, Parts: 3 or 4 } || Encoding.UTF8.GetString(hello.Data) != uuid)
        {
            throw new CheckFailure("its first message is not the handshake [1, 0, [uuid]] with the uuid that it was given: channel "
                + $"{hello.Channel}, type {hello.Type}, {hello.Arguments} arguments, \"{Encoding.UTF8.GetString(hello.Data)}\"");
        }

        if (hello is { Arguments: 2, Offer: null })
        {
            throw new CheckFailure("the second argument of its handshake is no map of names and numbers");
        }

        WorkerOffer offer = hello.Offer ?? default;
        bool asks = offer.Pipe;
        if ((wantPipe || refuse) && !asks)
        {
            conversation.Dispose();
            return new StartedWorker(null, false);
        }

        if (hello.Offer is not null)
        {
            if (end.Messages.Count > 0)
            {
                throw new CheckFailure("it has sent a map in its handshake and did not wait for the answer");
            }

            if (wantPipe && !refuse)
            {
                end.GrantPipe(offer with { Begin = false });
            }
            else
            {
                if (offer.Begin)
                {
                    end.GrantPage();
                }

                conversation.Write(sink => MessageWriter.WriteGrant(sink, offer with { Pipe = false }));
            }
        }

        conversation.Greeted(hello.SawBin, offer.Flow);
        conversation.Until(() => conversation.Heartbeats > 0, "no heartbeat followed the handshake", 1, endIsGood: false);
        return new StartedWorker(conversation, asks);
    }

    private Received First(NodeEnd end, WorkerProcess process)
    {
        for (long until = Environment.TickCount64 + (long)options.Patience.TotalMilliseconds; Environment.TickCount64 < until;)
        {
            end.Pump(20);
            if (end.Fault is { } fault)
            {
                throw new CheckFailure(fault);
            }

            if (end.Messages.TryDequeue(out Received? first))
            {
                return first;
            }

            if (end.SocketEnded || process.End is not null)
            {
                throw new CheckFailure($"it went without a handshake {process.LastLines()}".TrimEnd());
            }
        }

        throw new CheckFailure($"no handshake came within {options.Patience.TotalSeconds:0.#} s");
    }
}
