using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// A job of a zeromq-server with <c>"replies": "chunks"</c>: each chunk of its answer is a message of its own as soon as it comes, as in
/// 2012. An error is a message too, and the end is none. Pooled by its driver.
/// </summary>
internal sealed class ChunkReply(ZeroMqServer server) : RouterCall(server)
{
    protected override void WriteChunk(in Payload data)
    {
        if (Driver.Socket.Output.TryBegin(Route))
        {
            Driver.Socket.Output.Add(in data, more: false);
        }
    }

    protected override void WriteEnd()
    {
        // A client of 2012 knows the end by its own count or by the data.
    }

    protected override void WriteError(Job job, in JobError error) =>
        server.WriteError(Route, error.Code, error.Reason, error.HeadersOf(job));

    protected override void WriteRefusal(int code, string reason, in ErrorHeaders headers) =>
        server.WriteError(Route, code, Encoding.UTF8.GetBytes(reason), in headers);

    protected override void Free() => server.Free(this);
}
