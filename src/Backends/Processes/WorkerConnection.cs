using Cocaine.Fast.Backends.Rings;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>
/// A worker's socket. It carries the handshake, and then either all messages or, beside a pipe, only the news that the worker is gone.
/// </summary>
/// <param name="loop">The engine's loop.</param>
/// <param name="descriptor">The socket.</param>
/// <param name="slave">Gets the messages.</param>
/// <param name="onHandshake">The worker has shown its uuid, and lists its wishes; null when it waits for no answer.</param>
/// <param name="onFault">The worker has broken the protocol.</param>
/// <param name="onGone">The socket has closed.</param>
internal sealed class WorkerConnection(
    EventLoop loop, int descriptor, Slave slave, Action<WorkerOffer?> onHandshake, Action<string> onFault, Action onGone)
    : MessageConnection(loop, descriptor, ProtocolLimits.Default), IWorkerWay
{
    private bool _shaken;
    private ReadTask? _readTask; // made with the first portion of a request

    /// <inheritdoc/>
    public MessageSink Sink => Output;

    /// <inheritdoc/>
    public long BacklogBytes => Output.PendingBytes;

    /// <inheritdoc/>
    public string Kind => "socket";

    /// <inheritdoc/>
    public bool IsBlocked => IsSendBlocked;

    /// <summary>Set when the worker was granted the page beside its socket.</summary>
    public BegunJobs? Begun { get; set; }

    /// <summary>The worker changed to the pipe: its socket must stay silent.</summary>
    public bool OnPipe { get; set; }

    /// <inheritdoc/>
    public void Flush() => ScheduleSend();

    /// <summary>The socket has no unread answers of a worker that has ended: they were read when the socket closed.</summary>
    public void DrainAnswers()
    {
    }

    /// <summary>The worker's messages of this turn come first: it may ask to hold.</summary>
    internal override void OnRead() => Loop.ScheduleBell(_readTask ??= new ReadTask(this));

    /// <summary>Until its handshake the peer is anybody.</summary>
    internal override bool IsOfStranger => !_shaken;

    /// <summary>A handshake is a uuid and the worker's offers.</summary>
    protected override void OnBegun(in MessageLayout begun)
    {
        if (begun.TotalBytes > OpeningBounds.MaxMessageBytes)
        {
            onFault($"its handshake has more than {OpeningBounds.MaxMessageBytes} bytes");
        }
    }

    protected override void OnMessage(in MessageView message, HeaderStatus headers)
    {
        if (!_shaken)
        {
            Shake(in message);
        }
        else if (OnPipe)
        {
            onFault("sent a message on the socket beside the pipe");
        }
        else if (!slave.OnMessage(in message, out string? fault))
        {
            onFault(fault!);
        }
    }

    protected override bool OnOverlong(in OverlongMessage message)
    {
        if (!_shaken || OnPipe)
        {
            return false;
        }

        if (OverlongAnswer.Take(slave, in message, Limits) is { } fault)
        {
            onFault(fault);
        }

        return true;
    }

    protected override void OnMalformed(ulong? channel, int code, string problem) => onFault($"sent what is no message: {problem}");

    protected override void OnClosed(string reason) => onGone();

    protected override void OnSent()
    {
        if (!OnPipe)
        {
            slave.Pressure.Ease();
        }
    }

    private void TellRead()
    {
        if (IsOpen && !OnPipe)
        {
            slave.Pressure.OnRead(slave, slave.Link);
        }
    }

    private void Shake(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        bool isHandshake = layout is
        {
            Channel: MessageWriter.ControlChannel, Type: ControlType.Handshake, Shape: ArgumentShape.Data,
        };
        bool valid = isHandshake && layout.DataLength == slave.Uuid.Length && System.Text.Ascii.Equals(message.ShortData, slave.Uuid);
        if (!valid)
        {
            onFault(layout.Channel == 0
                ? "it speaks the protocol of Cocaine 0.11, and this node speaks protocol 1 of Cocaine 0.12: take a framework of 0.12"
                : "its handshake does not carry the uuid from its command line");
            return;
        }

        _shaken = true;
        if (layout.ArgumentCount == 1)
        {
            onHandshake(null);
        }
        else if (WorkerOffer.Read(message.AfterData) is { } wanted)
        {
            onHandshake(wanted);
        }
        else
        {
            onFault("its handshake has a second argument that is no map of names and numbers");
        }
    }

    private sealed class ReadTask(WorkerConnection connection) : TurnTask
    {
        public override void OnTurnEnd() => connection.TellRead();
    }
}
