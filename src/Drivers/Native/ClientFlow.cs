using System.Diagnostics.CodeAnalysis;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// Flow control for each call of one client that has offered it: section "Flow control" of docs/protocol.md. The client may hold the answer
/// of one call, and the node may ask the client to hold the request of one call, while the other calls of the connection go on.
/// </summary>
/// <param name="connection">The client's connection.</param>
/// <param name="jobs">The open jobs of the connection.</param>
/// <param name="onLeft">Called when a kept message has left for the socket, with its job, or null when the job has ended.</param>
/// <param name="onStalled">Called when an answer was held for too long.</param>
internal sealed class ClientFlow(MessageConnection connection, ChannelTable<Job> jobs, Action<Job?> onLeft, Action onStalled)
{
    /// <summary>
    /// Kept bytes of a connection from which on a slave waits from the first kept chunk on: 64 held answers may keep what one may keep
    /// alone.
    /// </summary>
    private const long HighKeptBytes = 64L * FlowControl.HighBytes;

    /// <summary>Kept bytes of a connection at which a call fails: two messages of the largest size.</summary>
    private const long MaxKeptBytes = 128L << 20;

    /// <summary>Unsent bytes below which kept messages leave: as many as a socket takes at once.</summary>
    private const int PortionBytes = FlowControl.HighBytes;

    /// <summary>Unused objects that a connection keeps: few streams of a connection pause again and again at the same time.</summary>
    private const int MostFree = 16;

    private readonly ChannelTable<HeldAnswer> _held = new();
    private readonly Queue<HeldAnswer> _leaving = new(); // each once; some of them do not leave any more when their turn comes
    private readonly Stack<HeldAnswer> _free = new();

    public EventLoop Loop => connection.Loop;

    /// <summary>Bytes that are kept of all answers, each as it counts.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>Tells the client that this node has flow control.</summary>
    public void Agree()
    {
        MessageWriter.WriteArguments(connection.Output, FlowControl.ClientControlChannel, [0x91, FlowControl.Version]);
        connection.ScheduleSend();
    }

    /// <summary>The client asks to hold the answer on a channel, or to go on. False when the message is malformed.</summary>
    public bool TryHandle(in MessageView message)
    {
        if (!FlowControl.TryRead(in message, out ulong channel, out bool hold))
        {
            return false;
        }

        if (_held.TryGet(channel, out HeldAnswer? answer))
        {
            answer.Set(hold);
            if (!hold)
            {
                Queue(answer);
                Leave();
            }
        }
        else if (hold && jobs.TryGet(channel, out Job? job))
        {
            answer = _free.Count > 0 ? _free.Pop() : new HeldAnswer(this);
            answer.Begin(channel, job);
            _held.Add(channel, answer);
        }

        return true; // also when the number is unknown: the call may have ended while the message was on its way
    }

    /// <summary>Asks the client to hold the request of a job, or to go on.</summary>
    public void HoldRequest(Job job, bool hold)
    {
        if (!job.RequestEnded)
        {
            MessageWriter.WriteFlow(connection.Output, FlowControl.ClientControlChannel, job.CallerChannel, hold);
            connection.ScheduleSend();
        }
    }

    /// <summary>Keeps a chunk if the job's answer is held. False when the chunk may leave.</summary>
    public bool Keep(Job job, in Payload chunk)
    {
        if (_held.Count == 0 || !_held.TryGet(job.CallerChannel, out HeldAnswer? answer))
        {
            return false;
        }

        long counted = answer.CountedBytes;
        answer.Keep(in chunk, connection.PeerSpeaksBin);
        KeptBytes += answer.CountedBytes - counted;
        if (KeptBytes > MaxKeptBytes)
        {
            GiveUp(answer, "the client reads its answers too slowly");
        }
        else
        {
            answer.SlowDown(KeptBytes > HighKeptBytes ? 0 : FlowControl.HighBytes);
        }

        return true;
    }

    /// <summary>Keeps the end of an answer behind its kept chunks. False when the end may leave.</summary>
    public bool KeepClose(Job job)
    {
        if (!HasKept(job, out HeldAnswer? answer))
        {
            return false;
        }

        long counted = answer.CountedBytes;
        answer.KeepClose();
        KeptBytes += answer.CountedBytes - counted;
        return true;
    }

    /// <summary>Keeps the error of an answer behind its kept chunks. False when the error may leave.</summary>
    public bool KeepError(Job job, in JobError error, in ErrorHeaders headers)
    {
        if (!HasKept(job, out HeldAnswer? answer))
        {
            return false;
        }

        long counted = answer.CountedBytes;
        answer.KeepError(in error, in headers);
        KeptBytes += answer.CountedBytes - counted;
        return true;
    }

    /// <summary>The call on a channel is over: the kept part of its answer is dropped. True when the answer was held.</summary>
    public bool Drop(ulong channel)
    {
        if (_held.Count == 0 || !_held.TryGet(channel, out HeldAnswer? answer))
        {
            return false;
        }

        Remove(answer);
        return true;
    }

    /// <summary>The client gives up a call after the end of its job. This error is the answer unless a terminal message was sent.</summary>
    public void OnGivenUp(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (Drop(layout.Channel))
        {
            MessageWriter.WriteError(connection.Output, layout.Channel, layout.Category, layout.Code, message.Text);
            connection.ScheduleSend();
        }
    }

    /// <summary>The client has read all that was sent.</summary>
    public void OnSent()
    {
        if (_leaving.Count > 0)
        {
            Leave();
        }
    }

    /// <summary>The client has not gone on with an answer for too long.</summary>
    public void OnStalled(HeldAnswer answer)
    {
        onStalled();
        GiveUp(answer, $"the client has held this answer for {HeldAnswer.StallSeconds} s");
    }

    /// <summary>The connection has ended.</summary>
    public void Clear()
    {
        foreach (HeldAnswer answer in _held.TakeAll())
        {
            answer.End();
        }

        _leaving.Clear();
        KeptBytes = 0;
    }

    /// <summary>Finds the answer of an ended job. An answer of which nothing is kept is no longer held: its end leaves at once.</summary>
    private bool HasKept(Job job, [NotNullWhen(true)] out HeldAnswer? answer)
    {
        answer = null;
        if (_held.Count == 0 || !_held.TryGet(job.CallerChannel, out answer))
        {
            return false;
        }

        if (!answer.IsEmpty)
        {
            return true;
        }

        Remove(answer);
        return false;
    }

    private void Queue(HeldAnswer answer)
    {
        if (!answer.IsQueued)
        {
            answer.IsQueued = true;
            _leaving.Enqueue(answer);
        }
    }

    /// <summary>Sends messages of the answers that leave, in turns, until the socket has enough.</summary>
    private void Leave()
    {
        bool any = false;
        while (connection.Output.PendingBytes < PortionBytes && _leaving.TryDequeue(out HeldAnswer? answer))
        {
            answer.IsQueued = false;
            if (answer.State != HoldState.Leaving)
            {
                continue;
            }

            if (!answer.IsEmpty)
            {
                long counted = answer.CountedBytes;
                answer.MoveOne(connection.Output);
                KeptBytes += answer.CountedBytes - counted;
                any = true;
                onLeft(answer.Job);
            }

            if (answer.IsEmpty)
            {
                Remove(answer);
            }
            else
            {
                Queue(answer);
            }
        }

        if (any)
        {
            connection.ScheduleSend();
        }
    }

    /// <summary>Ends a call because its answer cannot be kept any longer.</summary>
    private void GiveUp(HeldAnswer answer, string reason)
    {
        Job? job = answer.Job;
        ulong channel = answer.Channel;
        Remove(answer);
        if (job is not null)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, reason);
        }
        else
        {
            MessageWriter.WriteError(connection.Output, channel, ErrorCodes.Category, ErrorCodes.ResourceError, reason);
            connection.ScheduleSend();
        }
    }

    private void Remove(HeldAnswer answer)
    {
        KeptBytes -= answer.CountedBytes;
        _held.Remove(answer.Channel, out _);
        answer.End();
        if (_free.Count < MostFree)
        {
            _free.Push(answer);
        }
    }
}
