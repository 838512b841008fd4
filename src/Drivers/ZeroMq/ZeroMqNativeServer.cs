using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The native-server driver with the framing of 2012: [route…, ""] and groups of four frames. Each answer is a message of its own: a chunk
/// is 1 · [1, uuid, false] · bytes, the end 1 · [1, uuid, true], an error 2 · [2, uuid, code, text]. That framing names no event: the
/// task's method is called, or the one event that the manifest gives.
/// </summary>
internal sealed class ZeroMqNativeServer(DriverContext context)
    : RouterDriver(context, MethodOf(context.Task.Name, context.Task.Events), lingerMs: 0)
{
    /// <summary>Bytes of [1, uuid, false]: heads of the array and the number, the old head of a string, the uuid and the flag.</summary>
    private const int HeadBytes = 1 + 1 + 3 + NativeGroup.UuidLength + 1;

    private static ReadOnlySpan<byte> Answer => [1];

    private static ReadOnlySpan<byte> Error => [2];

    private readonly Stack<Call> _free = new(); // as many as there were jobs at the same time

    protected override void OnMessage(Route route, FrameList body)
    {
        for (int at = 0; at < body.Count;)
        {
            NativeGroup group = NativeGroup.Read(Engine.Loop, body, ref at);
            if (group.IsLate)
            {
                Engine.Counters.Deadlines++;
                Refuse(route, group.Uuid, ErrorCodes.DeadlineError, group.Problem!);
            }
            else if (group.Problem is not null)
            {
                OnMalformed(route, group.Uuid, group.Problem);
            }
            else
            {
                Run(route, in group);
            }
        }
    }

    /// <summary>Each body says itself whether it is sealed, and is judged with its job.</summary>
    protected override bool ProvesItsCallers(FrameList message, int body) => Sealed != SealMode.No;

    protected override void Refuse(Route route, ReadOnlySpan<byte> id, int code, string reason, in ErrorHeaders headers = default) =>
        WriteError(route, id, code, Encoding.UTF8.GetBytes(reason), in headers);

    private static string MethodOf(string task, IReadOnlyList<string> events) => events is [not "*"] ? events[0] : task;

    private void Run(Route route, in NativeGroup group)
    {
        if (!_free.TryPop(out Call? call))
        {
            call = new Call(this);
        }

        group.Uuid.CopyTo(call.Uuid);
        call.Run(route, Sender, group.Body, group.Policy);
    }

    /// <summary>
    /// Clients of this framing unpack four values and act on the code. Other known facts go to the end of the text, which clients only
    /// show.
    /// </summary>
    private void WriteError(Route route, ReadOnlySpan<byte> uuid, int code, ReadOnlySpan<byte> reason, in ErrorHeaders headers)
    {
        if (!Socket.Output.TryBegin(route))
        {
            return;
        }

        Span<byte> buffer = stackalloc byte[ErrorHeaders.MaxNoteBytes];
        ReadOnlySpan<byte> note = buffer[..headers.WriteNote(buffer)];
        byte[] frame = new byte[(4 * MsgPackEncoder.MaxHeadBytes) + uuid.Length + reason.Length + note.Length];
        int length = MsgPackEncoder.WriteArrayHead(frame, 4);
        length += MsgPackEncoder.WriteUnsigned(frame.AsSpan(length), 2);
        length += WriteOldString(frame.AsSpan(length), uuid);
        length += MsgPackEncoder.WriteSigned(frame.AsSpan(length), code);
        length += MsgPackEncoder.WriteStringHead(frame.AsSpan(length), (uint)(reason.Length + note.Length), modern: false);
        reason.CopyTo(frame.AsSpan(length));
        length += reason.Length;
        note.CopyTo(frame.AsSpan(length));
        length += note.Length;
        Socket.Output.Add(Error, more: true);
        Socket.Output.Add(frame.AsSpan(0, length), more: false);
    }

    private static int WriteOldString(Span<byte> to, ReadOnlySpan<byte> text)
    {
        int head = MsgPackEncoder.WriteStringHead(to, (uint)text.Length, modern: false);
        text.CopyTo(to[head..]);
        return head + text.Length;
    }

    private sealed class Call(ZeroMqNativeServer server) : RouterCall(server)
    {
        public byte[] Uuid { get; } = new byte[NativeGroup.UuidLength];

        protected override void WriteChunk(in Payload data)
        {
            if (Driver.Socket.Output.TryBegin(Route))
            {
                Driver.Socket.Output.Add(Answer, more: true);
                Driver.Socket.Output.Add(Head(stackalloc byte[HeadBytes], isLast: false), more: true);
                Driver.Socket.Output.Add(in data, more: false);
            }
        }

        protected override void WriteEnd()
        {
            if (Driver.Socket.Output.TryBegin(Route))
            {
                Driver.Socket.Output.Add(Answer, more: true);
                Driver.Socket.Output.Add(Head(stackalloc byte[HeadBytes], isLast: true), more: false);
            }
        }

        protected override void WriteError(Job job, in JobError error)
        {
            // A text with one of the app's own codes is a matter between the app and its clients.
            ErrorHeaders headers = error.Category == ErrorCodes.Category ? error.HeadersOf(job) : default;
            server.WriteError(Route, Uuid, error.Code, error.Reason, in headers);
        }

        protected override void WriteRefusal(int code, string reason, in ErrorHeaders headers) =>
            server.Refuse(Route, Uuid, code, reason, in headers);

        protected override void Free() => server._free.Push(this);

        private ReadOnlySpan<byte> Head(Span<byte> to, bool isLast)
        {
            to[0] = 0x93;
            to[1] = 1;
            int length = 2 + WriteOldString(to[2..], Uuid);
            MsgPackEncoder.WriteBoolean(to[length..], isLast);
            return to;
        }
    }
}
