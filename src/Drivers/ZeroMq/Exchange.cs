using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;

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
    private int _used;
    private int _open;
    private long _bytes;
    private int _frames;

    /// <summary>Makes a job of each body. The reply is sent when all jobs have ended, which may be at once.</summary>
    public void Run(Route route, FrameList bodies)
    {
        _route = route;
        _used = bodies.Count;
        _open = bodies.Count + 1; // one more for this method, so that jobs that end at once do not end the exchange
        route.Pending++;
        while (_parts.Count < _used)
        {
            _parts.Add(new Part());
        }

        for (int i = 0; i < _used; i++)
        {
            Submit(i, bodies[i]);
        }

        EndOne();
    }

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
        _parts[(int)job.CallerChannel].Add(data.ToArray());
    }

    public void OnDone(Job job) => EndOne();

    public void OnFailed(Job job, in JobError error)
    {
        _parts[(int)job.CallerChannel].Replace(server.Frames.Error(default, error.Code, error.Reason, error.HeadersOf(job)));
        EndOne();
    }

    public void OnRequestPressure(Job job, bool high)
    {
        // The request was whole before: no caller has to be held back.
    }

    private void Submit(int index, ReadOnlySpan<byte> body)
    {
        Job? job = server.Engine.Submit(
            this, (ulong)index, server.Monitor, server.Method, default, default, out JobRefusal refusal);
        if (job is null)
        {
            _parts[index].Replace(
                server.Frames.Error(default, refusal.Code, Encoding.UTF8.GetBytes(refusal.Reason), refusal.Headers));
            _open--;
            return;
        }

        if (!body.IsEmpty)
        {
            job.Engine.AddChunk(job, new Payload(body));
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
        _used = _frames = 0;
        _bytes = 0;
        server.Free(this);
    }

    /// <summary>One job's frames of the reply.</summary>
    private sealed class Part
    {
        private readonly List<byte[]> _frames = [];

        public void Add(byte[] frame) => _frames.Add(frame);

        public void Replace(byte[] frame)
        {
            _frames.Clear();
            _frames.Add(frame);
        }

        public void Write(ZeroMqOutput output, bool isLast)
        {
            if (_frames.Count == 0)
            {
                _frames.Add([]);
            }

            for (int i = 0; i < _frames.Count; i++)
            {
                output.AddShared(_frames[i], more: !isLast || i < _frames.Count - 1);
            }
        }

        public void Clear() => _frames.Clear();
    }
}
