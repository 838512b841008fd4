using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The server+lsd driver: [route…, ""] and pairs of frames, a JSON envelope {uuid, urgent, timeout, deadline} and a body. Each answer is a
/// message of its own: {uuid} and a chunk, {uuid, "completed": true}, or {uuid, code, message} and the other known facts.
/// </summary>
internal sealed class LsdServer(DriverContext context)
    : RouterDriver(context, context.Task.Name, context.Task.GetInt("linger"))
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "server+lsd", [ListeningKeys.Endpoint, ZeroMqKeys.Backlog, ZeroMqKeys.Linger, SealModes.Key],
        static context => new LsdServer(context))
    {
        ZeroMqName = static _ => "server+lsd",
    };

    /// <summary>Longer than any uuid. The clients' names of jobs are kept as long as the jobs run.</summary>
    private const int MaxUuidBytes = 64;

    private readonly JsonFrames _frames = new();
    private readonly Stack<Call> _free = new(); // as many as there were jobs at the same time

    protected override void OnMessage(Route route, FrameList body)
    {
        Span<byte> uuid = stackalloc byte[MaxUuidBytes];
        for (int at = 0; at < body.Count; at += 2)
        {
            string? problem = ReadEnvelope(body[at], uuid, out int uuidLength, out JobPolicy policy, out bool isLate);
            ReadOnlySpan<byte> id = uuid[..uuidLength];
            if (at + 1 == body.Count)
            {
                OnMalformed(route, id, "there is no body after the envelope");
            }
            else if (isLate)
            {
                Engine.Counters.Deadlines++;
                Refuse(route, id, ErrorCodes.DeadlineError, problem!);
            }
            else if (problem is not null)
            {
                OnMalformed(route, id, problem);
            }
            else
            {
                Run(route, id, body.PayloadAt(at + 1), in policy);
            }
        }
    }

    /// <summary>Each body says itself whether it is sealed, and is judged with its job.</summary>
    protected override bool ProvesItsCallers(FrameList message, int body) => Sealed != SealMode.No;

    /// <summary>A dealer of 2012 finds the request of an answer by its uuid, and cannot read an answer without one.</summary>
    protected override void Refuse(Route route, ReadOnlySpan<byte> id, int code, string reason, in ErrorHeaders headers = default)
    {
        if (!id.IsEmpty)
        {
            WriteError(route, id, code, Encoding.UTF8.GetBytes(reason), in headers);
        }
    }

    private void Run(Route route, ReadOnlySpan<byte> uuid, scoped in Payload request, in JobPolicy policy)
    {
        if (!_free.TryPop(out Call? call))
        {
            call = new Call(this);
        }

        call.SetUuid(uuid);
        call.Run(route, Sender, in request, in policy);
    }

    private void WriteError(Route route, ReadOnlySpan<byte> uuid, int code, ReadOnlySpan<byte> reason, in ErrorHeaders headers)
    {
        if (Socket.Output.TryBegin(route))
        {
            Socket.Output.Add(_frames.Error(uuid, code, reason, in headers), more: false);
        }
    }

    /// <summary>The mistake in an envelope, or null. The uuid is returned also when another part is wrong.</summary>
    private string? ReadEnvelope(
        ReadOnlySpan<byte> envelope, Span<byte> uuid, out int uuidLength, out JobPolicy policy, out bool isLate)
    {
        uuidLength = 0;
        policy = default;
        isLate = false;
        bool urgent = false;
        double timeout = 0, deadline = 0;
        string? wrong = null;
        try
        {
            Utf8JsonReader reader = new(envelope);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return "the envelope is no JSON object";
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isUuid = reader.ValueTextEquals("uuid"u8), isUrgent = reader.ValueTextEquals("urgent"u8);
                bool isTimeout = reader.ValueTextEquals("timeout"u8), isDeadline = reader.ValueTextEquals("deadline"u8);
                reader.Read();
                if (isUuid && reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length is > 0 and <= MaxUuidBytes)
                {
                    uuidLength = reader.CopyString(uuid);
                }
                else if (isUrgent)
                {
                    urgent = OldJson.ReadBool(ref reader);
                }
                else if ((isTimeout || isDeadline) && OldJson.TryReadDouble(ref reader, out double seconds))
                {
                    (timeout, deadline) = isTimeout ? (seconds, deadline) : (timeout, seconds);
                }
                else if (isUuid || isTimeout || isDeadline)
                {
                    wrong ??= "the envelope is {uuid: a string of 1 to 64 bytes, urgent: true or false, "
                        + "timeout: seconds, deadline: Unix time}";
                    reader.Skip();
                }
                else
                {
                    reader.Skip(); // an unknown key
                }
            }

            if (reader.Read())
            {
                return "the envelope is no JSON object";
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            return "the envelope is no JSON object";
        }

        wrong ??= uuidLength == 0 ? $"the envelope has no uuid of 1 to {MaxUuidBytes} bytes" : null;
        return wrong ?? OldPolicy.Read(Engine.Loop, urgent, timeout, deadline, out policy, out isLate);
    }

    private sealed class Call(LsdServer server) : RouterCall(server)
    {
        private readonly byte[] _uuid = new byte[MaxUuidBytes];
        private int _uuidLength;

        private ReadOnlySpan<byte> Uuid => _uuid.AsSpan(0, _uuidLength);

        public void SetUuid(ReadOnlySpan<byte> uuid)
        {
            uuid.CopyTo(_uuid);
            _uuidLength = uuid.Length;
        }

        protected override void WriteChunk(in Payload data)
        {
            if (Driver.Socket.Output.TryBegin(Route))
            {
                Driver.Socket.Output.Add(server._frames.Answer(Uuid, isLast: false), more: true);
                Driver.Socket.Output.Add(in data, more: false);
            }
        }

        protected override void WriteEnd()
        {
            if (Driver.Socket.Output.TryBegin(Route))
            {
                Driver.Socket.Output.Add(server._frames.Answer(Uuid, isLast: true), more: false);
            }
        }

        protected override void WriteError(Job job, in JobError error) =>
            server.WriteError(Route, Uuid, error.Code, error.Reason, error.HeadersOf(job));

        protected override void WriteRefusal(int code, string reason, in ErrorHeaders headers) =>
            server.Refuse(Route, Uuid, code, reason, in headers);

        protected override void Free() => server._free.Push(this);
    }
}
