using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// One message to a zeromq-server and its reply. A job's part of the reply is its chunks, one empty frame when it has none, or one error
/// as JSON. Pooled by its driver.
/// </summary>
internal sealed class Exchange(ZeroMqServer server) : IJobCaller
{
    /// <summary>
    /// The most bytes of a reply: one message of the largest size. A longer answer is an error, since a reply cannot be sent in pieces.
    /// </summary>
    private const long MaxReplyBytes = 64 << 20;

    /// <summary>The most frames of a reply, since each frame has some cost beside its bytes.</summary>
    private const int MaxReplyFrames = 65_536;

    private readonly List<Part> _parts = []; // as many as the largest message had bodies; used ones come first
    private Route _route = null!;            // valid while jobs are open
    private ZeroMqConnection _peer = null!;  // the same; may have ended
    private int _used;
    private int _open;
    private long _bytes;
    private int _frames;

    /// <summary>Makes a job of each body. The reply is sent when all jobs have ended, which may be at once.</summary>
    public void Run(Route route, FrameList bodies, ZeroMqConnection peer)
    {
        _route = route;
        _peer = peer;
        _used = bodies.Count;
        _open = bodies.Count + 1; // one more for this method, so that jobs that end at once do not end the exchange
        route.Pending++;
        while (_parts.Count < _used)
        {
            _parts.Add(new Part(this, _parts.Count));
        }

        for (int i = 0; i < _used; i++)
        {
            Submit(i, bodies.PayloadAt(i));
        }

        EndOne();
    }

    private ZeroMqServer Server => server;

    public void OnChunk(Job job, in Payload data)
    {
        if (_bytes + data.Length > MaxReplyBytes || _frames >= MaxReplyFrames)
        {
            job.Engine.Fail(job, ErrorCodes.TooLarge,
                $"the answer is over {MaxReplyBytes >> 20} MiB or {MaxReplyFrames} chunks, which one ZeroMQ reply cannot carry");
            return;
        }

        _bytes += data.Length;
        _frames++;
        Part part = _parts[(int)job.CallerChannel];
        if (part.Seal is null)
        {
            part.Add(in data);
        }
        else if (!part.AddSealed(RecordKind.More, in data))
        {
            job.Engine.Fail(job, ErrorCodes.Unauthenticated, SealFaults.TextOf(SealFault.UnknownSession));
        }
    }

    public void OnDone(Job job)
    {
        Part part = _parts[(int)job.CallerChannel];
        if (part.Seal is not null)
        {
            part.AddSealed(RecordKind.Last, default);
        }

        EndOne();
    }

    public void OnFailed(Job job, in JobError error)
    {
        if (_parts[(int)job.CallerChannel] is { Seal: { } seal } part)
        {
            part.Add(new Payload(seal.SealError(error.Category, error.Code, error.Reason))); // behind the chunks, which are counted
            EndOne();
            return;
        }

        _parts[(int)job.CallerChannel].Replace(server.Frames.Error(default, error.Code, error.Reason, error.HeadersOf(job)));
        EndOne();
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole before: no caller has to be held back.
    }

    private void Submit(int index, scoped in Payload body)
    {
        if (server.Sealed != SealMode.No && SealedFrame.Is(in body))
        {
            _parts[index].OpenSeal(in body);
            return;
        }

        if (server.Sealed == SealMode.Required)
        {
            OnText(index, SealFault.NotSealed, default);
            return;
        }

        Job? job = server.Engine.Submit(
            this, (ulong)index, server.Monitor, server.Method, default, default, out JobRefusal refusal);
        if (job is null)
        {
            _parts[index].Replace(
                server.Frames.Error(default, refusal.Code, Encoding.UTF8.GetBytes(refusal.Reason), refusal.Headers));
            _open--;
            return;
        }

        if (body.Length > 0)
        {
            job.Engine.AddChunk(job, in body);
        }

        job.Engine.EndRequest(job);
    }

    /// <summary>A sealed body was opened, or cannot be: now, or after its session was opened.</summary>
    private void OnText(int index, SealFault fault, ReadOnlySpan<byte> text)
    {
        Part part = _parts[index];
        if (fault != SealFault.None)
        {
            server.DenySeal(_peer, fault);
            byte[] reason = Encoding.UTF8.GetBytes(SealFaults.TextOf(fault));
            ErrorHeaders headers = new() { RetryAfterS = SealFaults.RetryAfterS(fault) };
            part.Replace(server.Frames.Error(default, SealFaults.CodeOf(fault), reason, in headers));
            EndOne();
            return;
        }

        JobRefusal refusal = default;
        Job? job = null;
        if (!server.AdmitsSealed(_peer, part.Seal!.KeyName, out DoorRefusal denied))
        {
            refusal = new JobRefusal(denied.Code, denied.Text, JobId: 0);
        }
        else
        {
            job = server.Engine.Submit(this, (ulong)index, server.Monitor, server.Method, default, default, out refusal);
        }

        if (job is null)
        {
            part.Add(new Payload(part.Seal.SealError(ErrorCodes.Category, refusal.Code, Encoding.UTF8.GetBytes(refusal.Reason))));
            EndOne();
            return;
        }

        if (text.Length > 0)
        {
            job.Engine.AddChunk(job, new Payload(text));
        }

        job.Engine.EndRequest(job);
    }

    private void EndOne()
    {
        if (--_open > 0)
        {
            return;
        }

        bool sends = server.Socket.Output.TryBegin(_route);
        for (int i = 0; i < _used; i++)
        {
            if (sends)
            {
                _parts[i].Write(server.Socket.Output, isLast: i == _used - 1);
            }

            _parts[i].Clear();
        }

        _route.Pending--;
        _route = null!;
        _peer = null!;
        _used = _frames = 0;
        _bytes = 0;
        server.Free(this);
    }

    /// <summary>The frames of a job in the reply, one after the other in a block of the loop's pool.</summary>
    private sealed class Part(Exchange exchange, int index)
    {
        private readonly BlockPool _blocks = exchange.Server.Context.Loop.Blocks;
        private readonly List<int> _ends = [];
        private SealedBody? _kept;    // of the part's former sealed bodies
        private SealedText? _onText;  // made once
        private byte[]? _block; // null while there are no bytes
        private int _length;

        /// <summary>The seal of the body; null when it has none.</summary>
        public SealedBody? Seal { get; private set; }

        /// <summary>Opens a sealed body.</summary>
        public void OpenSeal(scoped in Payload body)
        {
            ZeroMqServer server = exchange.Server;
            Seal = _kept ??= new SealedBody(server.Context.Loop, server.Engine.Name, server.Method);
            _onText ??= (fault, text) => exchange.OnText(index, fault, text);
            Seal.Open(in body, default, server.Seals.Worker, _onText);
        }

        /// <summary>Adds a sealed frame. False when the session has had its last record.</summary>
        public bool AddSealed(RecordKind kind, scoped in Payload text)
        {
            ReadOnlySpan<byte> frame = Seal!.Seal(kind, text);
            if (!frame.IsEmpty)
            {
                Add(new Payload(frame));
            }

            return !frame.IsEmpty;
        }

        public void Add(scoped in Payload frame)
        {
            int needed = checked(_length + frame.Length);
            if (needed > (_block?.Length ?? 0))
            {
                // Doubled, so that a reply of many chunks is not copied with each of them.
                byte[] larger = _blocks.Rent(Math.Max(needed, _length * 2));
                _block.AsSpan(0, _length).CopyTo(larger);
                GiveBack();
                _block = larger;
            }

            frame.CopyTo(_block.AsSpan(_length));
            _length = needed;
            _ends.Add(needed);
        }

        public void Replace(scoped ReadOnlySpan<byte> frame)
        {
            Clear();
            Add(new Payload(frame));
        }

        public void Write(ZeroMqOutput output, bool isLast)
        {
            if (_ends.Count == 0)
            {
                output.Add(default(ReadOnlySpan<byte>), more: !isLast);
            }

            int start = 0;
            for (int i = 0; i < _ends.Count; i++)
            {
                output.Add(_block.AsSpan(start, _ends[i] - start), more: !isLast || i < _ends.Count - 1);
                start = _ends[i];
            }
        }

        public void Clear()
        {
            _ends.Clear();
            _length = 0;
            GiveBack();
            Seal = null;
        }

        private void GiveBack()
        {
            if (_block is not null)
            {
                _blocks.Return(_block);
                _block = null;
            }
        }
    }
}
