using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>
/// A driver with the real engine on a virtual clock: time passes when a test says so, the wall clock can be set, and the one slave answers
/// after as long as the test says.
/// </summary>
internal sealed class VirtualApp : TimeProvider, IEngineLoop, ISlaveBackend
{
    private readonly List<(long DueMs, ulong Channel)> _running = [];
    private readonly Published _published = new();
    private long _setMs; // how far the wall clock was set, in all
    private VirtualSlave _slave = null!;
    private Driver _driver = null!;

    public static readonly DateTimeOffset Start = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DeadlineWheel Timers { get; } = new(0);

    public DeadlineWheel Patience => Timers;

    public BlockPool Blocks { get; } = new();

    public long NowMs { get; private set; }

    public long ListenedMs => NowMs;

    public long NowNs => NowMs * 1_000_000;

    public DateTimeOffset Wall => Start.AddMilliseconds(NowMs + _setMs);

    public AppEngine Engine { get; private set; } = null!;

    /// <summary>How long each run takes, ms.</summary>
    public Func<long> RunMs { get; set; } = () => 0;

    /// <summary>The chunks that answer a run, by its number from 0; null: it fails.</summary>
    public Func<int, string[]?> Answer { get; set; } = _ => [];

    /// <summary>When each run began, by the loop's clock.</summary>
    public List<long> Runs { get; } = [];

    /// <summary>When each run began, by the wall clock.</summary>
    public List<DateTimeOffset> Times { get; } = [];

    public List<string> Results => _published.Lines;

    /// <summary>Most runs at once.</summary>
    public int MostAtOnce { get; private set; }

    public override DateTimeOffset GetUtcNow() => Wall;

    public object Fact(string name) => _driver.Facts[name];

    public VirtualApp Open(string type, EngineSettings? settings = null, params (string Key, object Value)[] keys)
    {
        const long Ever = 10_000L * 24 * 3600 * 1000; // the slave has no heartbeats, and nobody minds that it is idle
        settings ??= new EngineSettings { Concurrency = 1000, PoolLimit = 1 };
        EngineSettings patient = settings with { HeartbeatTimeoutMs = Ever, SuicideTimeoutMs = Ever };
        Engine = new AppEngine("app", patient, this, this, NullLogger.Instance);
        TaskManifest task = new() { Name = "tick", DriverType = type, Keys = keys.ToDictionary(key => key.Key, key => key.Value) };
        DriverContext context = new(DriverRegistry.Complete(task), Engine, null!, NullLogger.Instance, static reply => reply([])) { Clock = this, Publisher = _published };
        _driver = DriverRegistry.Create(context, new Dictionary<string, Func<Drivers.Custom.CustomDriver>>())!;
        _driver.Open();
        Engine.Start();
        _slave.Slave.OnReady();
        return this;
    }

    public void StopTaking() => _driver.StopTaking();

    /// <summary>Time passes; whatever is due is done at its time.</summary>
    public void Pass(TimeSpan time)
    {
        long end = NowMs + (long)time.TotalMilliseconds;
        while (true)
        {
            long next = Math.Min(Timers.NextDueMs(NowMs), _running.Count == 0 ? long.MaxValue : _running.Min(run => run.DueMs));
            if (next > end)
            {
                break;
            }

            Turn(Math.Max(next, NowMs));
        }

        Turn(end);
    }

    /// <summary>The process is held up: time passes, and nothing is done before the end of it.</summary>
    public void HoldUp(TimeSpan time) => Turn(NowMs + (long)time.TotalMilliseconds);

    /// <summary>Somebody sets the wall clock.</summary>
    public void SetClock(TimeSpan by) => _setMs += (long)by.TotalMilliseconds;

    public SlaveLink Launch(Slave slave) => _slave = new VirtualSlave(this, slave);

    private void Turn(long nowMs)
    {
        NowMs = nowMs;
        foreach ((long DueMs, ulong Channel) run in _running.Where(run => run.DueMs <= nowMs).ToArray())
        {
            _running.Remove(run);
            _slave.End(run.Channel, Answer(_slave.Ended++));
        }

        Timers.Advance(nowMs);
    }

    private void Begun(ulong channel)
    {
        Runs.Add(NowMs);
        Times.Add(Wall);
        _running.Add((NowMs + RunMs(), channel));
        MostAtOnce = Math.Max(MostAtOnce, _running.Count);
    }

    private sealed class VirtualSlave(VirtualApp app, Slave slave) : SlaveLink
    {
        private readonly MemorySink _toSlave = new();
        private readonly MemorySink _fromSlave = new();

        public Slave Slave { get; } = slave;

        public int Ended { get; set; }

        public override MessageSink Sink => _toSlave;

        public override long BacklogBytes => 0;

        public override bool PeerSpeaksBin => true;

        public override string Kind => "virtual";

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
                    app.Begun(layout.Channel);
                }

                rest = rest[layout.TotalBytes..];
            }
        }

        public void End(ulong channel, string[]? chunks)
        {
            foreach (string chunk in chunks ?? [])
            {
                Say(sink => MessageWriter.WriteChunk(sink, channel, new Payload(Encoding.Latin1.GetBytes(chunk)), bin: true));
            }

            Say(sink =>
            {
                if (chunks is null)
                {
                    MessageWriter.WriteError(sink, channel, 42, 100, "it failed");
                }
                else
                {
                    MessageWriter.WriteClose(sink, channel);
                }
            });
        }

        public override void AskForRead() => Assert.Fail("nothing of a request is held");

        public override void PauseReading()
        {
        }

        public override void ResumeReading()
        {
        }

        public override void Kill(string reason) => Assert.Fail(reason);

        private void Say(Action<MessageSink> write)
        {
            _fromSlave.Clear();
            write(_fromSlave);
            byte[] bytes = _fromSlave.Written.ToArray();
            MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
            Assert.True(Slave.OnMessage(new MessageView(in layout, bytes), out string? fault), fault);
        }
    }

    private sealed class Published : ResultPublisher
    {
        public List<string> Lines { get; } = [];

        public override void PublishChunk(string task, ReadOnlySpan<byte> chunk) =>
            Lines.Add($"{task}: {Encoding.Latin1.GetString(chunk)}");

        public override void PublishError(string task, int category, int code, string reason, in ErrorHeaders headers) =>
            Lines.Add($"{task}: error {category} {code} {reason}");
    }
}
