using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>
/// One client's connection. Channels of different connections have the same numbers, so an answer that goes astray meets another request.
/// </summary>
internal sealed class SimCaller(SimWorld world, int number) : IJobCaller
{
    private readonly Dictionary<ulong, SimRequest> _channels = [];
    private readonly List<(Slave Slave, ulong Channel)> _held = []; // their jobs may have ended
    private ulong _lastChannel;

    public int Number { get; } = number;

    /// <summary>It does not read for now: slaves that answer it are held back.</summary>
    public bool IsSlow { get; set; }

    public bool HoldsSlaves => _held.Count > 0;

    public SimRequest Open(int id, in JobPolicy policy, bool isPoison)
    {
        SimRequest request = new(id, this, ++_lastChannel, policy, world.NowMs) { IsPoison = isPoison };
        _channels.Add(request.Channel, request);
        return request;
    }

    public void OnChunk(Job job, in Payload data)
    {
        SimRequest request = Find(job);
        world.Model.OnAnswerChunk(request, Label.Read(in data));
        if (IsSlow && job.Slave is { } slave && !job.AnswerHeld && (slave.Link.HasFlow || !HoldsBack(slave)) && slave.HoldBack(job.SlaveChannel))
        {
            _held.Add((slave, job.SlaveChannel));
            world.Note($"caller {Number} holds slave {slave.Generation} back");
        }

        world.Reenter(this, request);
    }

    public void OnDone(Job job)
    {
        if (world.Sabotages(Sabotage.LosesOutcome))
        {
            return;
        }

        SimRequest request = Find(job);
        world.Model.OnOutcome(request, 0);
        if (world.Sabotages(Sabotage.OutcomeTwice))
        {
            world.Model.OnOutcome(Find(job), 0);
        }

        if (world.Sabotages(Sabotage.ChunkAfterEnd))
        {
            world.Model.OnAnswerChunk(request, new Label(request.Id, request.Runs, request.AnswerChunks));
        }

        world.Reenter(this, null);
    }

    public void OnFailed(Job job, in JobError error)
    {
        SimRequest request = Find(job);
        world.Model.OnOutcome(request, error.Category == ErrorCodes.Category ? error.Code : -1);
        world.Reenter(this, null);
    }

    public void OnRequestPressure(Job job, bool high) => world.Model.OnPressure(Find(job), high);

    /// <summary>It reads again.</summary>
    public void LetGo()
    {
        IsSlow = false;
        (Slave Slave, ulong Channel)[] held = [.. _held];
        _held.Clear();
        foreach ((Slave slave, ulong channel) in held)
        {
            SimLink link = world.LinkOf(slave);
            link.LastHeardMs = link.HasFlow ? link.LastHeardMs : world.HeardMs;
            slave.LetGo(channel);
        }
    }

    public bool HoldsBack(Slave slave) => _held.Exists(held => held.Slave == slave);

    private SimRequest Find(Job job)
    {
        if (!_channels.TryGetValue(job.CallerChannel, out SimRequest? request))
        {
            throw new BrokenPromise($"caller {Number} hears of channel {job.CallerChannel}, which it never opened");
        }

        if (!ReferenceEquals(request.Job, job) && request.Phase != Phase.Offered)
        {
            throw new BrokenPromise($"{request} is answered through the job of another one");
        }

        return request;
    }
}
