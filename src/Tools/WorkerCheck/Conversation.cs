using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>
/// A worker after its handshake, for the cases that talk to it. Every message is checked against the rules that hold always: exact arity,
/// one terminal message on each channel, no message on a channel that nobody opened. Heartbeats are answered meanwhile.
/// </summary>
internal sealed class Conversation(WorkerProcess process, NodeEnd end, string app, string uuid, WorkerCheckOptions options) : IDisposable
{
    private readonly Dictionary<ulong, CheckedChannel> _channels = [];
    private ulong _last = MessageWriter.ControlChannel;
    private bool _bin;

    public WorkerProcess Process => process;

    public NodeEnd End => end;

    public string App => app;

    public string Uuid => uuid;

    public WorkerCheckOptions Options => options;

    /// <summary>The worker has shown that it understands bin.</summary>
    public bool SpeaksBin => _bin || end.OnPipe;

    public int Heartbeats { get; private set; }

    /// <summary>Broken rules, each with the case that it counts against.</summary>
    public List<(string Case, string Problem)> Violations { get; } = [];

    /// <summary>The worker knows flow control of one channel.</summary>
    public bool HasFlow { get; private set; }

    /// <summary>The handshake was right.</summary>
    public void Greeted(bool sawBin, bool hasFlow)
    {
        _bin = sawBin;
        HasFlow = hasFlow;
    }

    /// <summary>Asks the worker to hold the answer on a channel, or to go on.</summary>
    public void Flow(ulong channel, bool hold) =>
        Write(sink => MessageWriter.WriteFlow(sink, MessageWriter.ControlChannel, channel, hold));

    /// <summary>The worker has asked to hold the request on a channel.</summary>
    public bool IsRequestHeld(ulong channel) => _channels[channel].RequestHeld;

    /// <summary>Messages of a channel that came and were not looked at.</summary>
    public int Waiting(ulong channel) => _channels[channel].Messages.Count;

    /// <summary>Opens a channel by calling an event.</summary>
    public ulong Open(string name, ReadOnlySpan<byte> headers = default)
    {
        _last++;
        _channels[_last] = new CheckedChannel();
        byte[] headerBytes = headers.ToArray();
        Write(sink => MessageWriter.WriteInvoke(sink, _last, Encoding.UTF8.GetBytes(name), headerBytes));
        return _last;
    }

    /// <summary>Writes a whole request of one chunk in one piece.</summary>
    public ulong CallAtOnce(string name, ReadOnlySpan<byte> data)
    {
        _channels[++_last] = new CheckedChannel { NodeEnded = true };
        MemorySink sink = new();
        MessageWriter.WriteInvoke(sink, _last, Encoding.UTF8.GetBytes(name), default);
        MessageWriter.WriteChunk(sink, _last, new Payload(data), SpeaksBin);
        MessageWriter.WriteClose(sink, _last);
        end.Send(sink.Written);
        return _last;
    }

    /// <summary>The least number of the next channel.</summary>
    public void SkipTo(ulong number) => _last = Math.Max(_last, number - 1);

    public void Chunk(ulong channel, byte[] data) =>
        Write(sink => MessageWriter.WriteChunk(sink, channel, new Payload(data), SpeaksBin));

    public void Close(ulong channel)
    {
        if (!_channels[channel].NodeEnded)
        {
            _channels[channel].NodeEnded = true;
            Write(sink => MessageWriter.WriteClose(sink, channel));
        }
    }

    /// <summary>Takes calls back that the worker has not begun: from here on it must say nothing on their channels.</summary>
    /// <returns>The channels that are the node's again.</returns>
    public IReadOnlyList<ulong> Recall()
    {
        int count = end.BeginRecall(out ulong begun);
        Write(sink => MessageWriter.WriteRecall(sink, count, begun + 1));
        ulong[] taken = [.. _channels.Where(pair => pair.Key > begun && !pair.Value.WorkerEnded).Select(pair => pair.Key)];
        foreach (ulong channel in taken)
        {
            _channels.Remove(channel);
        }

        return taken;
    }

    /// <summary>Tells the worker that nobody waits for this answer any more, and why.</summary>
    public void Cancel(ulong channel, int category, int code, string reason)
    {
        _channels[channel].NodeEnded = true;
        Write(sink => MessageWriter.WriteError(sink, channel, category, code, reason));
    }

    public void Terminate() => Write(sink => MessageWriter.WriteTerminate(sink, 1, "the check asks for it"));

    public void Write(Action<MessageSink> write)
    {
        MemorySink sink = new();
        write(sink);
        end.Send(sink.Written);
    }

    /// <summary>Makes a whole call; returns the bytes of its answer.</summary>
    public byte[] Call(string name, params byte[][] chunks)
    {
        ulong channel = Open(name);
        foreach (byte[] chunk in chunks)
        {
            Chunk(channel, chunk);
        }

        Close(channel);
        return ReadAll(channel);
    }

    /// <summary>The answer's chunks joined, until its close.</summary>
    public byte[] ReadAll(ulong channel, double patience = 1)
    {
        using MemoryStream all = new();
        while (Next(channel, patience) is { Type: not 2 } message)
        {
            all.Write(ChunkOf(message));
        }

        return all.ToArray();
    }

    /// <summary>The next chunk as text.</summary>
    public string NextText(ulong channel) => Encoding.UTF8.GetString(ChunkOf(Next(channel)));

    /// <summary>The error that ends the answer; chunks before it are skipped.</summary>
    public Received NextError(ulong channel)
    {
        while (true)
        {
            Received message = Next(channel);
            if (message.Type == MessageType.Error)
            {
                return message;
            }

            if (message.Type == MessageType.Close)
            {
                throw new CheckFailure("it answered with a close where an error was due");
            }
        }
    }

    /// <summary>The end of the answer: an error or a close.</summary>
    public Received NextTerminal(ulong channel)
    {
        while (true)
        {
            Received message = Next(channel);
            if (message.Type != MessageType.Chunk)
            {
                return message;
            }
        }
    }

    /// <summary>The next message of the worker on a channel.</summary>
    public Received Next(ulong channel, double patience = 1)
    {
        Queue<Received> messages = _channels[channel].Messages;
        Until(() => messages.Count > 0, "it gave no answer", patience, endIsGood: false);
        return messages.Dequeue();
    }

    /// <summary>Makes a small round trip: after it, all earlier messages of the worker have been seen.</summary>
    public void Settle()
    {
        byte[] data = "settled"u8.ToArray();
        if (!Call("echo", data).AsSpan().SequenceEqual(data))
        {
            throw new CheckFailure("a small echo after the case came back wrong");
        }
    }

    /// <summary>Waits until a condition holds; fails when it takes too long, or when the worker has gone before.</summary>
    public void Until(Func<bool> isSo, string failure, double patience, bool endIsGood)
    {
        TimeSpan limit = options.Patience * patience;
        long start = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            if (end.Fault is { } fault)
            {
                throw new CheckFailure(fault);
            }

            if (!endIsGood && (process.End is not null || end.SocketEnded))
            {
                end.Pump(50); // the worker may have answered before it went
                TakeMessages();
                if (isSo())
                {
                    return;
                }

                throw new CheckFailure($"the worker has gone ({process.End ?? "it closed its socket"}) {process.LastLines()}".TrimEnd());
            }

            TimeSpan left = limit - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
            {
                throw new CheckFailure($"{failure} within {limit.TotalSeconds:0.#} s");
            }

            // Waits in slices: when the socket goes first, the end of the process is only seen by looking again.
            end.Pump((int)Math.Clamp(left.TotalMilliseconds, 1, end.SocketEnded ? 10 : 250));
            TakeMessages();
        }
    }

    public void Dispose()
    {
        end.Dispose();
        process.Dispose();
    }

    private static byte[] ChunkOf(Received message) => message.Type switch
    {
        MessageType.Chunk => message.Data,
        MessageType.Error => throw new CheckFailure(
            $"it answered with the error [[{message.Category}, {message.Code}], \"{message.Text}\"]"),
        _ => throw new CheckFailure("it closed its answer where a chunk was due"),
    };

    private void TakeMessages()
    {
        while (end.Messages.TryDequeue(out Received? message))
        {
            _bin |= message.SawBin;
            CheckForm(message);
            if (message.Channel == MessageWriter.ControlChannel)
            {
                if (message.Type == MessageType.Chunk)
                {
                    Heartbeats++;
                    Write(MessageWriter.WriteHeartbeat);
                }
                else if (message.Flow is { } flow && _channels.TryGetValue(flow.Channel, out CheckedChannel? meant))
                {
                    meant.RequestHeld = flow.Holds;
                }

                continue;
            }

            if (!_channels.TryGetValue(message.Channel, out CheckedChannel? channel))
            {
                Violations.Add((AlwaysCases.Terminals,
                    $"a message of type {message.Type} on channel {message.Channel}, which nobody opened"));
                continue;
            }

            if (channel.WorkerEnded)
            {
                Violations.Add((AlwaysCases.Terminals,
                    $"a message of type {message.Type} on channel {message.Channel} after its terminal message there"));
                continue;
            }

            channel.WorkerEnded = message.Type != MessageType.Chunk;
            channel.Messages.Enqueue(message);
            if (channel.WorkerEnded)
            {
                Close(message.Channel); // the node owes its terminal too, whatever the worker has sent
            }
        }
    }

    private void CheckForm(Received message)
    {
        bool control = message.Channel == MessageWriter.ControlChannel;
        (int arguments, ArgumentShape shape) = (control, message.Type) switch
        {
            (true, ControlType.Heartbeat) => (0, ArgumentShape.Empty),
            (true, ControlType.Terminate) => (2, ArgumentShape.CodeText),
            (false, MessageType.Chunk) => (1, ArgumentShape.Data),
            (false, MessageType.Error) => (2, ArgumentShape.Error),
            (false, MessageType.Close) => (0, ArgumentShape.Empty),
            (true, ControlType.Flow) when HasFlow && message.Flow is not null => (message.Arguments, message.Shape),
            _ => (-1, ArgumentShape.Other),
        };
        string what = $"a message of type {message.Type} on channel {message.Channel}";
        if (arguments < 0)
        {
            Violations.Add((AlwaysCases.Arity, $"{what}: there is no such type"));
        }
        else if (message.Arguments != arguments || message.Shape != shape)
        {
            Violations.Add((AlwaysCases.Arity,
                $"{what} with {message.Arguments} arguments ({message.Shape}); {arguments} ({shape}) are due"));
        }
        else if (message.Parts is not (3 or 4))
        {
            Violations.Add((AlwaysCases.Arity, $"{what} is not an array of 3 or 4, written as a fixarray"));
        }
    }

    private sealed class CheckedChannel
    {
        public Queue<Received> Messages { get; } = new();

        public bool NodeEnded { get; set; }

        public bool RequestHeld { get; set; }

        public bool WorkerEnded { get; set; }
    }
}
