using System.Diagnostics;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>States of a direction of a sealed call.</summary>
internal enum SealedFlow : byte
{
    /// <summary>No record has come or gone.</summary>
    Untouched,

    /// <summary>Records have come or gone, and more may follow.</summary>
    Open,

    /// <summary>The record that ends the direction has come or gone.</summary>
    Ended,

    /// <summary>A record did not open: the direction is worth nothing any more.</summary>
    Broken,
}

/// <summary>
/// One sealed call at either end: the session, the job, and the places of its records in both directions. Reused from call to call.
/// </summary>
internal sealed class SealedCall
{
    private readonly byte[] _app = new byte[RecordContext.MaxNameBytes];
    private readonly byte[] _name = new byte[RecordContext.MaxNameBytes];
    private int _appBytes;
    private int _nameBytes;
    private SealPolicy _policy;
    private bool _isClient;
    private ulong _job;     // the counter of the request's first record; 0 before it
    private ulong _sent;    // records that this end has sealed
    private ulong _got;     // records that this end has opened

    /// <summary>The session of the call. Valid between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public SealSession Session { get; private set; } = null!;

    /// <summary>Records that this end seals.</summary>
    public SealedFlow Sent { get; private set; }

    /// <summary>Records that this end opens.</summary>
    public SealedFlow Got { get; private set; }

    /// <summary>Begins a call.</summary>
    /// <param name="session">The session.</param>
    /// <param name="isClient">This end makes the request.</param>
    /// <param name="app">The app's name, UTF-8, at most 256 bytes.</param>
    /// <param name="name">The event's name, at most 256 bytes.</param>
    /// <param name="policy">The wishes of the call.</param>
    public void Begin(SealSession session, bool isClient, ReadOnlySpan<byte> app, ReadOnlySpan<byte> name, in SealPolicy policy)
    {
        Session = session;
        _isClient = isClient;
        app.CopyTo(_app);
        name.CopyTo(_name);
        (_appBytes, _nameBytes, _policy) = (app.Length, name.Length, policy);
        _job = _sent = _got = 0;
        Sent = Got = SealedFlow.Untouched;
    }

    /// <summary>The call is over; the object may begin another one.</summary>
    public void End() => Session = null!;

    /// <summary>Seals a text as the next record of this end.</summary>
    /// <param name="kind">The record's meaning.</param>
    /// <param name="text">The text.</param>
    /// <param name="record">Gets the record: room for the text and <see cref="SealSession.OverheadBytes"/>.</param>
    /// <returns>False when the session has had its last record, or the direction has ended.</returns>
    public bool Seal(RecordKind kind, in Payload text, Span<byte> record)
    {
        Debug.Assert(_isClient || _job != 0, "an answer begins after its request");
        if (Sent >= SealedFlow.Ended)
        {
            return false;
        }

        ulong counter = Session.Seal(ContextOf(_sent), kind, in text, record);
        if (counter == 0)
        {
            MoveSent(SealedFlow.Broken);
            return false;
        }

        if (_isClient && _job == 0)
        {
            _job = counter;
        }

        _sent++;
        MoveSent(kind == RecordKind.More ? SealedFlow.Open : SealedFlow.Ended);
        return true;
    }

    /// <summary>Opens the next record of the other end.</summary>
    /// <param name="record">The record.</param>
    /// <param name="text">Gets the text: room for the record's length.</param>
    /// <param name="opened">The text's length, and the record's meaning.</param>
    public SealFault Open(in Payload record, Span<byte> text, out OpenedRecord opened)
    {
        opened = default;
        if (Got >= SealedFlow.Ended || (_isClient && _job == 0))
        {
            return SealFault.CannotOpen; // a record after the end, or an answer before the request
        }

        SealFault fault = Session.Open(ContextOf(_got), in record, text, out opened);
        if (fault == SealFault.None && opened.Kind == RecordKind.Error && !_isClient)
        {
            fault = SealFault.CannotOpen; // requests have no errors
        }

        if (fault != SealFault.None)
        {
            MoveGot(SealedFlow.Broken);
            return fault;
        }

        if (!_isClient && _job == 0)
        {
            _job = opened.Counter;
        }

        _got++;
        MoveGot(opened.Kind == RecordKind.More ? SealedFlow.Open : SealedFlow.Ended);
        return SealFault.None;
    }

    private RecordContext ContextOf(ulong chunk) => new(_app.AsSpan(0, _appBytes), _name.AsSpan(0, _nameBytes), _policy, _job, chunk);

    private void MoveSent(SealedFlow next) => Sent = Checked(Sent, next);

    private void MoveGot(SealedFlow next) => Got = Checked(Got, next);

    private static SealedFlow Checked(SealedFlow now, SealedFlow next) =>
        now < SealedFlow.Ended && next != SealedFlow.Untouched ? next
            : throw new InvalidOperationException($"a direction cannot go from {now} to {next}");
}
