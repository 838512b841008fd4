using System.Globalization;
using System.Net;
using System.Text;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// An app's pubsub socket. A field is two frames: <c>source field host time</c> and its text. A subscriber that does not keep up loses
/// fields, as ZeroMQ intends.
/// </summary>
internal sealed class ZeroMqPublisher : ResultPublisher
{
    /// <summary>The most fields that wait for one subscriber: ZeroMQ's usual number.</summary>
    private const int HighWaterMark = 1000;

    private const int EngineFieldsMs = 1000;

    private readonly string _app;
    private readonly string _host = Clean(Dns.GetHostName());
    private readonly EventLoop _loop;
    private readonly ZeroMqSocket _socket;
    private readonly JsonFrames _frames = new();
    private EngineTimer? _timer;
    private long _droppedBefore; // by the publishers before this one

    public ZeroMqPublisher(string app, EventLoop loop, ClosingSockets closing, ILogger log)
    {
        _app = Clean(app);
        _loop = loop;
        _socket = new ZeroMqSocket(
            loop, SocketKind.Pub, $"{app}/pubsub", log, closing, received: null, total => ZeroMqLog.FieldsDropped(log, app, total));
    }

    /// <summary>The endpoints that the socket listens on.</summary>
    public IReadOnlyList<string> Endpoints => _socket.Endpoints;

    /// <summary>Fields published, whether somebody heard them or not.</summary>
    public long Published { get; private set; }

    /// <summary>Fields that a subscriber did not get, because it does not read as fast as they come; each subscriber counts.</summary>
    public long Dropped => _droppedBefore + _socket.Output.Dropped;

    /// <summary>Goes on with the counts of the publisher before.</summary>
    public void Continue(ZeroMqPublisher before) => (Published, _droppedBefore) = (before.Published, before.Dropped);

    /// <summary>Binds the endpoint.</summary>
    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    public void Open(string endpoint) =>
        _socket.Open(new ZeroMqSocketOptions([endpoint], HighWaterMark));

    /// <summary>Publishes the engines' own fields from now on, once a second, in place of those of the version before.</summary>
    /// <param name="ask">Gives the sums of the engines on this loop, at once or soon.</param>
    public void Watch(Action<Action<EngineSums>> ask)
    {
        long due = _timer is { IsArmed: true } ? _timer.DueMs : _loop.NowMs + EngineFieldsMs;
        if (_timer is not null)
        {
            _loop.Timers.Cancel(_timer);
        }

        _timer = new EngineTimer(this, ask);
        _loop.Timers.Arm(_timer, due);
    }

    public void Close()
    {
        if (_timer is not null)
        {
            _loop.Timers.Cancel(_timer);
        }

        _socket.Close();
    }

    public override void PublishChunk(string task, ReadOnlySpan<byte> chunk)
    {
        if (AnswerFields.Of(chunk) is not { } fields)
        {
            Publish(task, "error", chunk.ToArray());
            return;
        }

        foreach (AnswerField field in fields)
        {
            Publish(task, field.Name, field.Text);
        }
    }

    public override void PublishError(string task, int category, int code, string reason, in ErrorHeaders headers) =>
        Publish(task, "error", _frames.Error(default, code, Encoding.UTF8.GetBytes(reason), in headers).ToArray());

    private void Publish(string? task, string field, byte[] text)
    {
        Published++;
        double now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        string source = task is null ? _app : $"{_app}:{Clean(task)}";
        string topic = string.Create(CultureInfo.InvariantCulture, $"{source} {Clean(field)} {_host} {now:F3}");
        _socket.Output.Publish(_socket.Connections, Encoding.UTF8.GetBytes(topic), text);
    }

    /// <summary>A name must not look like two words: otherwise an app could make up a whole topic.</summary>
    private static string Clean(string name)
    {
        bool IsBad(char letter) => char.IsWhiteSpace(letter) || char.IsControl(letter);
        return name.Length == 0 ? "_" : !name.Any(IsBad) ? name
            : string.Create(name.Length, name, (to, from) =>
            {
                for (int i = 0; i < to.Length; i++)
                {
                    to[i] = IsBad(from[i]) ? '_' : from[i];
                }
            });
    }

    private sealed class EngineTimer(ZeroMqPublisher publisher, Action<Action<EngineSums>> ask) : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
            ask(sums => EngineFields.Each(sums, publisher.Publish));
            long next = DueMs + EngineFieldsMs; // counts from the due time, so that it does not drift; a missed second is not made up for
            publisher._loop.Timers.Arm(this, next > nowMs ? next : nowMs + EngineFieldsMs);
        }
    }
}
