using System.Text;
using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Forwarding;

/// <summary>A mistake that a test makes on purpose, to see that it would be found.</summary>
internal enum Sabotage
{
    None,

    /// <summary>A peer goes, and nobody tells the engine.</summary>
    LosesInSilence,

    /// <summary>A peer answers a job that has its answer.</summary>
    AnswersTwice,

    /// <summary>A peer has a job that it has told to have no room for, and answers it too.</summary>
    RefusesAndAnswers,
}

/// <summary>Other nodes that do what the test says.</summary>
internal sealed class FakePeers : IForwarder
{
    public FakePeers(World world, int count = 1, Sabotage sabotage = Sabotage.None)
    {
        All = [.. Enumerable.Range(0, count).Select(i => new FakePeer($"n{i}", sabotage))];
        world.Engine.Scope.Forwarder = this;
        world.Task.MayForward = true;
    }

    public IReadOnlyList<FakePeer> All { get; }

    /// <summary>Which peer is chosen for a job, by what it finds here; the first one unless a test says otherwise.</summary>
    public Func<OwnQueue, FakePeer?>? Choice { get; set; }

    /// <summary>What the engine asked about.</summary>
    public List<OwnQueue> Asked { get; } = [];

    public int Jobs => All.Sum(peer => peer.Jobs.Count);

    public IPeer? Choose(in OwnQueue own)
    {
        Asked.Add(own);
        return Choice is null ? All[0] : Choice(own);
    }

    public void FailAll(IJobEngine engine, int code, string reason, ErrorCause cause)
    {
        foreach (Job job in All.SelectMany(peer => peer.Jobs).Where(job => job.Engine == engine).ToArray())
        {
            job.Engine.Fail(job, code, reason, cause: cause);
        }
    }
}

/// <summary>One of them.</summary>
internal sealed class FakePeer(string name, Sabotage sabotage) : IPeer
{
    public string Node => name;

    public byte[] Name { get; } = Encoding.UTF8.GetBytes(name);

    /// <summary>The jobs that it has.</summary>
    public List<Job> Jobs { get; } = [];

    /// <summary>The jobs that were cancelled, by their numbers.</summary>
    public List<ulong> Cancelled { get; } = [];

    /// <summary>Bytes of requests that came, those of the start too.</summary>
    public int RequestBytes { get; private set; }

    /// <summary>Requests that are whole.</summary>
    public int Whole { get; private set; }

    public void Run(Job job)
    {
        Jobs.Add(job);
        foreach (Payload chunk in job.Request)
        {
            RequestBytes += chunk.Length;
        }

        Whole += job.RequestEnded ? 1 : 0;
    }

    public void WriteChunk(Job job, in Payload chunk) => RequestBytes += chunk.Length;

    public void EndRequest(Job job) => Whole++;

    public bool HoldBack(ulong channel, bool alone = false) => true;

    public void LetGo(ulong channel)
    {
    }

    public void Cancel(Job job, in JobError error)
    {
        Assert.True(Jobs.Remove(job));
        Cancelled.Add(job.Id);
        job.Runner = null;
    }

    public void Chunk(Job job) => job.Engine.OnChunk(job, new Payload("x"u8));

    public void Close(Job job)
    {
        if (sabotage != Sabotage.AnswersTwice)
        {
            Jobs.Remove(job);
        }

        job.Engine.OnEnd(job, failed: false, default);
    }

    public void Fail(Job job)
    {
        Jobs.Remove(job);
        job.Engine.OnEnd(job, failed: true, new JobError(1000, 502, "the app raised"u8));
    }

    public void Refuse(Job job)
    {
        if (sabotage != Sabotage.RefusesAndAnswers)
        {
            Jobs.Remove(job);
        }

        job.Engine.OnPeerRefused(job, new JobError(1000, 503, "the queue is full there"u8));
    }

    public void Go(PeerEnd end)
    {
        foreach (Job job in Jobs.ToArray())
        {
            Jobs.Remove(job);
            if (sabotage != Sabotage.LosesInSilence)
            {
                job.Engine.OnPeerLost(job, name, end);
            }
        }
    }
}
