using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>
/// The engine under random schedules of a virtual clock and scripted slaves: whatever happens, each accepted job gets exactly one
/// outcome.
/// </summary>
public class EngineModelTests
{
    [Fact]
    public void Whatever_happens_each_job_gets_exactly_one_outcome_and_counts_add_up() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[0, 5],
            Gen.Select(Gen.Int[0, 9], Gen.Int[0, 1000]).Array[1, 120]).Sample((pool, concurrency, queue, steps) =>
        {
            World world = new(new EngineSettings
            {
                PoolLimit = pool,
                Concurrency = concurrency,
                QueueLimit = queue,
                QueueTimeoutMs = 3000,
                HeartbeatTimeoutMs = 20_000,
                RetryLimit = 1,
            });
            foreach ((int what, int which) in steps)
            {
                world.Step(what, which);
                world.AssertCounts();
            }

            world.Finish();
        }, iter: 100_000);

    [Fact]
    public void Urgent_jobs_go_first_and_keep_their_order_and_a_retried_job_goes_to_the_front()
    {
        World world = new(new EngineSettings { PoolLimit = 1, QueueLimit = 10, RetryLimit = 1 });
        world.Ready(0);
        List<string> order = [];
        world.OnInvoke = job => order.Add(job);
        world.Submit("a");
        world.Submit("b");
        world.Submit("c", urgent: true);
        world.Submit("d", urgent: true);
        world.Die(0); // "a" goes back to the front of the usual ones
        world.Ready(0);
        while (world.Busy)
        {
            world.Close(0);
        }

        Assert.Equal(["a", "c", "d", "a", "b"], order);
        world.Finish();
    }

    [Fact]
    public void Three_failed_starts_break_the_app_and_a_good_one_mends_it()
    {
        World world = new(new EngineSettings { PoolLimit = 1 });
        world.Submit("waits");
        for (int i = 0; i < 3; i++)
        {
            Assert.False(world.Engine.Pool.IsBroken);
            world.Die(0);
            world.Advance(1000);
        }

        Assert.True(world.Engine.Pool.IsBroken);
        Assert.Equal(500, world.Outcomes.Single());
        world.Submit("refused");
        Assert.Equal(500, world.LastRefusal);
        world.Ready(0);
        Assert.False(world.Engine.Pool.IsBroken);
        world.Finish();
    }

    private sealed class World : IEngineLoop, ISlaveBackend, IJobCaller
    {
        private static readonly TaskMonitor Monitor = new("task");
        private readonly List<FakeLink> _links = [];
        private readonly Dictionary<ulong, int> _outcomes = [];
        private readonly List<Job> _open = [];
        private ulong _channel;

        public World(EngineSettings settings)
        {
            Timers = new DeadlineWheel(0);
            Engine = new AppEngine("app", settings, this, this, NullLogger.Instance);
            Engine.Start();
        }

        public AppEngine Engine { get; }

        public DeadlineWheel Timers { get; }

        public long NowMs { get; private set; }

        public long NowTicks => NowMs * 1_000_000;

        public Action<string>? OnInvoke { get; set; }

        public int LastRefusal { get; private set; }

        public List<int> Outcomes { get; } = [];

        public bool Busy => _links.Exists(link => link.Channels.Count > 0);

        public SlaveLink Launch(Slave slave)
        {
            FakeLink link = new(this, slave);
            _links.Add(link);
            return link;
        }

        public void Step(int what, int which)
        {
            switch (what)
            {
                case 0 or 1 or 2:
                    Submit("event", which % 7 == 0, deadlineMs: which % 5 == 0 ? which : 0);
                    break;
                case 3:
                    Ready(which);
                    break;
                case 4 or 5:
                    Close(which);
                    break;
                case 6:
                    Chunk(which);
                    break;
                case 7:
                    Die(which);
                    break;
                case 8 when _open.Count > 0:
                    Job job = _open[which % _open.Count];
                    _open.Remove(job);
                    _outcomes[job.CallerChannel] = _outcomes.GetValueOrDefault(job.CallerChannel) + 1;
                    Engine.Cancel(job, "gone"u8);
                    break;
                case 9:
                    Advance(which * 10);
                    break;
            }
        }

        public void Submit(string name, bool urgent = false, long deadlineMs = 0)
        {
            JobPolicy policy = new() { Urgent = urgent, DeadlineMs = deadlineMs };
            Job? job = Engine.Submit(this, ++_channel, Monitor, Encoding.UTF8.GetBytes(name), in policy, default, out JobRefusal refusal);
            LastRefusal = refusal.Code;
            if (job is not null)
            {
                _open.Add(job);
                Engine.AddChunk(job, new Payload("data"u8));
                Engine.EndRequest(job);
            }
        }

        public void Ready(int which) => Pick(which, link => link.Slave.State == SlaveState.Starting)?.Slave.OnReady();

        public void Close(int which) => Answer(which, (link, channel) => MessageWriter.WriteClose(link.FromSlave, channel), ends: true);

        public void Chunk(int which) =>
            Answer(which, (link, channel) => MessageWriter.WriteChunk(link.FromSlave, channel, new Payload("x"u8), bin: true), ends: false);

        public void Die(int which)
        {
            if (Pick(which, link => true) is { } link)
            {
                _links.Remove(link);
                link.Slave.OnDead("signal 9");
            }
        }

        public void Advance(long ms)
        {
            NowMs += ms;
            Timers.Advance(NowMs);
            foreach (FakeLink link in _links.Where(link => link.KillAsked).ToArray())
            {
                _links.Remove(link);
                link.Slave.OnDead("signal 9");
            }
        }

        public void AssertCounts()
        {
            Assert.True(Engine.Counters.Holds(Engine.Queue.Count, Engine.RunningJobs));
            Assert.Equal(_open.Count, Engine.Queue.Count + Engine.RunningJobs);
            Assert.DoesNotContain(_outcomes.Values, count => count != 1);
        }

        public void Finish()
        {
            for (int i = 0; i < 200 && _open.Count > 0; i++)
            {
                Ready(0);
                Close(i);
                Advance(500);
                AssertCounts();
            }

            bool stopped = false;
            Engine.Drain(() => stopped = true);
            for (int i = 0; i < 100 && !stopped; i++)
            {
                Die(0);
            }

            Assert.True(stopped);
            Assert.Empty(_open);
            AssertCounts();
        }

        public void OnChunk(Job job, in Payload data)
        {
        }

        public void OnDone(Job job) => Outcome(job, 0);

        public void OnFailed(Job job, in JobError error) => Outcome(job, error.Code);

        public void OnRequestPressure(Job job, bool high)
        {
        }

        private void Outcome(Job job, int code)
        {
            Assert.True(_open.Remove(job));
            Outcomes.Add(code);
            _outcomes[job.CallerChannel] = _outcomes.GetValueOrDefault(job.CallerChannel) + 1;
        }

        private FakeLink? Pick(int which, Predicate<FakeLink> usable)
        {
            List<FakeLink> links = _links.FindAll(usable);
            return links.Count == 0 ? null : links[which % links.Count];
        }

        private void Answer(int which, Action<FakeLink, ulong> write, bool ends)
        {
            if (Pick(which, link => link.Channels.Count > 0) is { } link)
            {
                ulong channel = link.Channels[which % link.Channels.Count];
                if (ends)
                {
                    link.Channels.Remove(channel);
                }

                link.FromSlave.Clear();
                write(link, channel);
                byte[] bytes = link.FromSlave.Written.ToArray();
                MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
                Assert.True(link.Slave.OnMessage(new MessageView(in layout, bytes), out string? fault), fault);
            }
        }
    }

    /// <summary>A slave that does what the test says; it decodes what the engine writes to learn its channels.</summary>
    private sealed class FakeLink(World world, Slave slave) : SlaveLink
    {
        private readonly MemorySink _toSlave = new();

        public Slave Slave { get; } = slave;

        public MemorySink FromSlave { get; } = new();

        public List<ulong> Channels { get; } = [];

        public bool KillAsked { get; private set; }

        public override MessageSink Sink => _toSlave;

        public override long BacklogBytes => 0;

        public override bool PeerSpeaksBin => true;

        public override string Kind => "fake";

        public override int ProcessId => 0;

        public override void Flush()
        {
            byte[] bytes = _toSlave.Written.ToArray();
            _toSlave.Clear();
            ReadOnlySpan<byte> rest = bytes;
            while (!rest.IsEmpty && MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                if (layout is { Type: 0, HeadersLength: > 0 })
                {
                    Channels.Add(layout.Channel);
                    world.OnInvoke?.Invoke(Encoding.UTF8.GetString(rest.Slice(layout.DataOffset, layout.DataLength)));
                }

                rest = rest[layout.TotalBytes..];
            }
        }

        public override void PauseReading()
        {
        }

        public override void ResumeReading()
        {
        }

        public override void Kill(string reason) => KillAsked = true;
    }
}
