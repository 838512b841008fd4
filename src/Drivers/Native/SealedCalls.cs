using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>The client of sealed calls.</summary>
internal interface ISealHost
{
    /// <summary>Makes the job of a request whose first record was opened; null when it is refused.</summary>
    /// <param name="request">The request.</param>
    /// <param name="keyName">The RSA name of the sender.</param>
    /// <param name="refusal">The reason.</param>
    Job? Submit(SealedRequest request, string keyName, out JobRefusal refusal);

    /// <summary>Sends a record of an answer.</summary>
    void Send(Job job, in Payload data);

    /// <summary>The job is no longer the client's.</summary>
    void Forget(Job job);

    /// <summary>Refuses a request because of its seal.</summary>
    void RefuseSeal(ulong channel, SealFault fault, ulong jobId);

    /// <summary>Refuses a request; the text is in the record before.</summary>
    void RefuseSealed(ulong channel, in JobRefusal refusal);

    /// <summary>Reads again, unless there is another reason to pause.</summary>
    void Resume();
}

/// <summary>
/// The sealed calls of one connection. The header <c>seal</c> of a call has an opening, or the number of an open session. Each chunk of
/// the channel is then a record, in both directions, and the last record of a direction says that it is the last. So a job begins only
/// when its first record has proved its sender, its event and its wishes, and nobody can cut a request or an answer.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="host">The client.</param>
/// <param name="app">The app's name.</param>
internal sealed class SealedCalls(MessageConnection connection, ISealHost host, string app)
{
    /// <summary>
    /// Calls that wait for their first record, which comes right behind them as a rule. Their sender is not proven, so they are few.
    /// </summary>
    private const int MostUnbegun = 256;

    /// <summary>Unused objects that a connection keeps.</summary>
    private const int MostFree = 256;

    /// <summary>The reason in an error whose text is in the record before it.</summary>
    private static ReadOnlySpan<byte> HiddenReason => "sealed"u8;

    private readonly ChannelTable<SealedRequest> _requests = new();
    private readonly Stack<SealedRequest> _free = new();
    private readonly byte[] _app = Encoding.UTF8.GetBytes(app);
    private int _unbegun; // requests without a job

    /// <summary>
    /// A session is being opened; the connection does not read meanwhile, because its next messages count on the session.
    /// </summary>
    public bool IsOpening { get; private set; }

    /// <summary>The sealed request on a channel.</summary>
    public bool TryGet(ulong channel, [NotNullWhen(true)] out SealedRequest? request) => _requests.TryGet(channel, out request);

    /// <summary>A request for a call, which is not filled in yet.</summary>
    public SealedRequest Take() => _free.TryPop(out SealedRequest? request) ? request : new SealedRequest();

    /// <summary>A call with the header <c>seal</c>.</summary>
    /// <param name="request">The call.</param>
    /// <param name="headers">The headers of the call.</param>
    /// <param name="worker">Has the sessions.</param>
    public void Begin(SealedRequest request, HeaderSet headers, SealWorker worker)
    {
        ReadOnlySpan<byte> seal = headers.Secret("seal"u8);
        SealPolicy wishes = new(headers.RequestTimeoutMs, headers.SilenceTimeoutMs, headers.RetryLimit, headers.Urgent);
        if (_unbegun >= MostUnbegun)
        {
            Refuse(request, SealFault.Full);
        }
        else if (seal.Length > SealLimits.MaxOpeningBytes)
        {
            Refuse(request, SealFault.CannotOpen);
        }
        else if (seal.Length > OpeningSecret.SessionIdBytes)
        {
            OpenSession(request, wishes, worker, seal.ToArray());
        }
        else if (seal.Length < OpeningSecret.SessionIdBytes || !worker.Gate.TryFind(
            BinaryPrimitives.ReadUInt128BigEndian(seal), connection.Loop.NowMs, out SealSession? session))
        {
            Refuse(request, SealFault.UnknownSession);
        }
        else
        {
            Await(request, session, in wishes);
        }
    }

    /// <summary>A message on an open channel. False when it is none of a sealed request, or is handled like any other.</summary>
    public bool Takes(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        if (!_requests.TryGet(layout.Channel, out SealedRequest? request))
        {
            return false;
        }

        bool isWhole = request.Call.Got == SealedFlow.Ended;
        switch (layout.Type)
        {
            case MessageType.Chunk when layout.Shape == ArgumentShape.Data && request.Job is not { RequestEnded: true }:
                OnRecord(request, message.Data);
                return true;
            case MessageType.Close when !isWhole:
                Break(request, SealFault.Cut);
                return true;
            default:
                if (request.Job is null)
                {
                    Break(request, SealFault.Cut); // the client gives up before its first record
                    return true;
                }

                return false;
        }
    }

    /// <summary>Sends a chunk of an answer.</summary>
    public void SendChunk(SealedRequest request, Job job, in Payload data) => Send(request, job, RecordKind.More, in data);

    /// <summary>Sends the record that ends an answer.</summary>
    public void SendEnd(Job job)
    {
        if (_requests.TryGet(job.CallerChannel, out SealedRequest? request))
        {
            Send(request, job, RecordKind.Last, default);
        }
    }

    /// <summary>Sends the record with the error that ends an answer; returns the error without its text.</summary>
    public JobError SendError(SealedRequest request, Job job, in JobError error)
    {
        Span<byte> text = stackalloc byte[SealedError.MaxBytes];
        int length = SealedError.Write(text, error.Category, error.Code, error.Reason);
        Send(request, job, RecordKind.Error, new Payload(text[..length]));
        return new JobError(error.Category, error.Code, HiddenReason, error.RetryAfterS, error.Cause);
    }

    /// <summary>The call on a channel is over.</summary>
    public void Remove(ulong channel)
    {
        if (_requests.Remove(channel, out SealedRequest? request))
        {
            _unbegun -= request.Job is null ? 1 : 0;
            Give(request);
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Clear()
    {
        _requests.TakeAll();
        _unbegun = 0;
    }

    /// <summary>A method of its own, because the lambda would take memory for each call where it stands.</summary>
    private void OpenSession(SealedRequest request, SealPolicy wishes, SealWorker worker, byte[] opening)
    {
        OpeningWork work = new(connection.Loop, opening, (fault, session) =>
        {
            IsOpening = false;
            if (connection.IsOpen)
            {
                OnOpened(request, session, fault, in wishes);
                host.Resume();
            }
        });
        if (worker.TryOpen(work))
        {
            IsOpening = true;
            connection.PauseReading();
        }
        else
        {
            Refuse(request, SealFault.Full);
        }
    }

    private void OnOpened(SealedRequest request, SealSession? session, SealFault fault, in SealPolicy wishes)
    {
        if (session is null)
        {
            Refuse(request, fault);
        }
        else
        {
            Await(request, session, in wishes);
        }
    }

    /// <summary>The session is there; the first record may come.</summary>
    private void Await(SealedRequest request, SealSession session, in SealPolicy wishes)
    {
        request.Call.Begin(session, isClient: false, _app, request.Name, in wishes);
        _requests.Add(request.Channel, request);
        _unbegun++;
    }

    private void OnRecord(SealedRequest request, in Payload record)
    {
        Span<byte> text = RecordScratch.In.Take(record.Length);
        SealFault fault = request.Call.Open(in record, text, out OpenedRecord opened);
        if (fault != SealFault.None)
        {
            Break(request, fault);
            return;
        }

        Job? job = request.Job ?? Submit(request);
        if (job is not null && (opened.Length > 0 || opened.Kind == RecordKind.More))
        {
            job.Engine.AddChunk(job, new Payload(text[..opened.Length]));
        }
    }

    private Job? Submit(SealedRequest request)
    {
        Job? job = host.Submit(request, request.Call.Session.Name, out JobRefusal refusal);
        if (job is not null)
        {
            request.Job = job;
            _unbegun--;
            return job;
        }

        Span<byte> text = stackalloc byte[SealedError.MaxBytes];
        int length = SealedError.Write(text, ErrorCodes.Category, refusal.Code, Encoding.UTF8.GetBytes(refusal.Reason));
        Span<byte> record = RecordScratch.Out.Take(length + SealSession.OverheadBytes);
        if (request.Call.Seal(RecordKind.Error, new Payload(text[..length]), record))
        {
            MessageWriter.WriteChunk(connection.Output, request.Channel, new Payload(record), connection.PeerSpeaksBin);
        }

        ulong channel = request.Channel;
        Remove(channel);
        host.RefuseSealed(channel, in refusal);
        return null;
    }

    private void Send(SealedRequest request, Job job, RecordKind kind, in Payload text)
    {
        Span<byte> record = RecordScratch.Out.Take(text.Length + SealSession.OverheadBytes);
        if (request.Call.Seal(kind, in text, record))
        {
            host.Send(job, new Payload(record));
        }
        else if (kind == RecordKind.More)
        {
            Break(request, SealFault.UnknownSession); // the session has had its last record
        }
    }

    /// <summary>The call cannot go on: its job, if there is one, is cancelled.</summary>
    private void Break(SealedRequest request, SealFault fault)
    {
        ulong channel = request.Channel, id = 0;
        Job? job = request.Job;
        Remove(channel);
        if (job is not null)
        {
            id = job.Id;
            host.Forget(job);
            job.Engine.Cancel(job, "the seal of the request is broken"u8);
        }

        host.RefuseSeal(channel, fault, id);
    }

    private void Refuse(SealedRequest request, SealFault fault)
    {
        ulong channel = request.Channel;
        Give(request);
        host.RefuseSeal(channel, fault, jobId: 0);
    }

    private void Give(SealedRequest request)
    {
        request.End();
        if (_free.Count < MostFree)
        {
            _free.Push(request);
        }
    }
}
