using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// The native-sink driver: the protocol of the native-server, but the caller only learns that its job was accepted, and the results are
/// published.
/// </summary>
internal sealed class NativeSink(DriverContext context) : NativeServer(context)
{
    /// <summary>Jobs whose request is whole and that are not done yet: they belong to no connection.</summary>
    public int Accepted { get; set; }

    public override IReadOnlyDictionary<string, object> Facts =>
        new Dictionary<string, object>(base.Facts) { ["running"] = Accepted };

    /// <summary>
    /// A sink's calls end when they are accepted. So callers can call only the sink's own events here, and no sibling serves them.
    /// </summary>
    public override bool SharesEvents => false;

    /// <summary>The results are published on the app's first loop.</summary>
    public override bool Spreads => false;

    protected override NativeConnection Connect(int descriptor) => new SinkConnection(this, descriptor);
}

/// <summary>
/// One client of a native-sink. A job is accepted when its request is whole and the engine has it: from then on the node is responsible for
/// the job, whatever happens to the client.
/// </summary>
internal sealed class SinkConnection(NativeSink sink, int descriptor) : NativeConnection(sink, descriptor)
{
    private int _accepted; // jobs of this client that are not done yet

    private NativeSink Sink => (NativeSink)Server;

    public override void HandOver(NativeServer next)
    {
        Sink.Accepted -= _accepted;
        base.HandOver(next);
        Sink.Accepted += _accepted;
    }

    public override void OnChunk(Job job, in Payload data) =>
        Sink.Context.Publisher.PublishChunk(Sink.Context.Task.Name, data.IsContiguous ? data.Span : data.ToArray());

    public override void OnDone(Job job)
    {
        if (job.RequestEnded)
        {
            Count(-1);
        }
        else
        {
            base.OnDone(job); // the app did not want the rest of the request
        }
    }

    public override void OnFailed(Job job, in JobError error)
    {
        if (job.RequestEnded)
        {
            Count(-1);
        }
        else
        {
            base.OnFailed(job, in error);
        }

        Sink.Context.Publisher.PublishError(
            Sink.Context.Task.Name, error.Category, error.Code, Encoding.UTF8.GetString(error.Reason), error.HeadersOf(job));
    }

    protected override void OnRequestWhole(Job job)
    {
        Count(1);
        Accept(job);
    }

    private void Count(int change)
    {
        _accepted += change;
        Sink.Accepted += change;
    }
}
