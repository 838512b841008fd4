using Cocaine.Fast.Cluster.Forwarding;
using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>Runs the jobs of a shape through clients of one policy, with or without forwarding between nodes.</summary>
internal sealed class Simulation
{
    private readonly PriorityQueue<Event, long> _events = new();
    private readonly Shape _shape;
    private readonly bool _forwards;
    private readonly Arrivals _arrivals;
    private readonly SimClient[] _clients;
    private readonly Random _random;
    private readonly List<long> _tookNs = [];
    private long _nowNs;
    private int _failed;
    private int _forwarded;
    private int _left;

    private Simulation(Shape shape, Policy policy, bool forwards, int seed)
    {
        (_shape, _forwards, _random) = (shape, forwards, new Random(seed));
        _arrivals = new Arrivals(shape, seed);
        _clients = [.. Enumerable.Range(0, shape.Clients).Select(_ => new SimClient(policy, _arrivals.Nodes, _random))];
        foreach (SimNode node in _arrivals.Nodes)
        {
            SimNode[] others = [.. _arrivals.Nodes.Where(other => other != node)];
            node.Peers.AddRange(SimClient.Shuffled(others, _random).Take(ForwardLimits.MostPeers));
        }

        _left = shape.Jobs;
    }

    private enum Step
    {
        /// <summary>The job reaches the node that its client called.</summary>
        Arrive,

        /// <summary>The job reaches the peer that it was forwarded to.</summary>
        Forwarded,

        /// <summary>A peer without room sends the job back.</summary>
        Bounced,

        /// <summary>The job has run.</summary>
        Done,

        /// <summary>The answer of a peer reaches the node that the client called.</summary>
        Relayed,

        /// <summary>The answer reaches the client.</summary>
        Answered,

        /// <summary>All nodes tell their loads.</summary>
        Reports,
    }

    public static Figures Run(Shape shape, Policy policy, bool forwards, int seed) => new Simulation(shape, policy, forwards, seed).Run();

    private Figures Run()
    {
        _events.Enqueue(new Event(Step.Reports, null, default), Shape.ReportNs);
        SimJob? next = _arrivals.Next();
        while (_left > 0)
        {
            if (next is not null && (!_events.TryPeek(out _, out long due) || next.BornNs <= due))
            {
                _nowNs = next.BornNs;
                Send(next);
                next = _arrivals.Next();
                continue;
            }

            _events.TryDequeue(out Event happens, out _nowNs);
            Happen(happens);
        }

        return Figures.Of(_tookNs, _failed, _forwarded, _shape.Jobs);
    }

    private void Happen(in Event happens)
    {
        SimJob job = happens.Job!;
        switch (happens.Step)
        {
            case Step.Arrive:
                Submit(job);
                break;
            case Step.Forwarded when job.Runner.HasRoom || job.Runner.Queue.Count < Shape.QueueLimit:
                Take(job.Runner, job);
                break;
            case Step.Forwarded:
                Later(Step.Bounced, job, job.Runner.Report);
                break;
            case Step.Bounced:
                job.Origin.Loads[job.Peer].OnRefused();
                job.Runner = job.Origin;
                job.Peer = -1;
                Stay(job);
                break;
            case Step.Done:
                Finish(job);
                break;
            case Step.Relayed:
                job.Origin.Loads[job.Peer].OnReport(happens.Load, _nowNs);
                Later(Step.Answered, job, job.Origin.Report);
                break;
            case Step.Answered:
                Answered(job, happens.Load);
                break;
            case Step.Reports:
                TellLoads();
                break;
        }
    }

    private void Send(SimJob job)
    {
        SimClient client = _clients[job.Client];
        job.Choice = client.Choose(_nowNs);
        job.Runner = job.Origin = client.Nodes[job.Choice];
        Later(Step.Arrive, job, default);
    }

    private void Submit(SimJob job)
    {
        SimNode node = job.Origin;
        if (node.HasRoom || !_forwards)
        {
            Stay(job);
            return;
        }

        Link(node);
        long own = ForwardRule.OwnWaitNs(node.Queue.Count, node.Slots, node.Mean.Ns, node.Queue.Count >= Shape.QueueLimit);
        Span<PeerLoad> peers = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(node.Loads);
        int peer = ForwardRule.Choose(peers, own, node.Mean.Ns, 2 * Shape.WayNs, _nowNs, _random, out long best);
        node.Count.OnDecision(own, best, _nowNs);
        if (peer < 0)
        {
            Stay(job);
            return;
        }

        _forwarded++;
        (job.Peer, job.Runner) = (peer, node.Peers[peer]);
        peers[peer].OnSent();
        Later(Step.Forwarded, job, default);
    }

    /// <summary>A new link tells the peer's load at once.</summary>
    private void Link(SimNode node)
    {
        while (node.Loads.Count < node.Count.Of(_shape.Nodes))
        {
            PeerLoad load = new();
            load.OnReport(node.Peers[node.Loads.Count].Report, _nowNs);
            node.Loads.Add(load);
        }
    }

    private void Stay(SimJob job)
    {
        if (job.Origin.HasRoom || job.Origin.Queue.Count < Shape.QueueLimit)
        {
            Take(job.Origin, job);
            return;
        }

        job.IsFailed = true;
        Later(Step.Answered, job, job.Origin.Report);
    }

    private void Take(SimNode node, SimJob job)
    {
        if (!node.HasRoom)
        {
            node.Queue.Enqueue(job);
            return;
        }

        node.Running++;
        long took = (long)(job.WorkNs / node.Speed);
        _events.Enqueue(new Event(Step.Done, job, default), _nowNs + took);
    }

    private void Finish(SimJob job)
    {
        SimNode node = job.Runner;
        node.Mean.Add((long)(job.WorkNs / node.Speed));
        node.Running--;
        if (node.Queue.TryDequeue(out SimJob? waiting))
        {
            Take(node, waiting);
        }

        Later(job.Peer >= 0 ? Step.Relayed : Step.Answered, job, node.Report);
    }

    private void Answered(SimJob job, in LoadReport load)
    {
        _clients[job.Client].OnAnswer(job, load, _nowNs);
        _left--;
        if (job.Number < _shape.Jobs * Shape.WarmUp)
        {
            return;
        }

        if (job.IsFailed)
        {
            _failed++;
        }
        else
        {
            _tookNs.Add(_nowNs - job.BornNs);
        }
    }

    private void TellLoads()
    {
        bool isSecond = _nowNs / Shape.ReportNs % 2 == 0;
        foreach (SimNode node in _arrivals.Nodes)
        {
            for (int i = 0; i < node.Loads.Count; i++)
            {
                node.Loads[i].OnReport(node.Peers[i].Report, _nowNs);
            }
        }

        foreach (SimClient client in _clients)
        {
            client.OnReports(_nowNs, isSecond);
        }

        _events.Enqueue(new Event(Step.Reports, null, default), _nowNs + Shape.ReportNs);
    }

    private void Later(Step step, SimJob job, LoadReport load) => _events.Enqueue(new Event(step, job, load), _nowNs + Shape.WayNs);

    private readonly record struct Event(Step Step, SimJob? Job, LoadReport Load);
}
