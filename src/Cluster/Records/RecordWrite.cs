namespace Cocaine.Fast.Cluster.Records;

/// <summary>The next thing that a writer does.</summary>
internal enum WriteStage
{
    /// <summary>Reads the app's record from the engine.</summary>
    Read,

    /// <summary>Writes <see cref="RecordWrite.Proposed"/>, if the record is still the one that was read.</summary>
    Write,

    /// <summary>The change is in the cluster.</summary>
    Succeeded,

    /// <summary>The change is not in the cluster, for <see cref="RecordWrite.Reason"/>.</summary>
    Refused,
}

/// <summary>
/// Writes one change by compare-and-set, as a state machine without any I/O. A write that is not answered may have been applied: the
/// writer reads, and finds its change there or decides again. No change is applied twice.
/// </summary>
/// <param name="change">The change.</param>
/// <param name="id">The unique name of the change.</param>
/// <param name="node">The name of this node.</param>
/// <param name="nowMs">The time of the change, ms since 1970; only shown.</param>
internal sealed class RecordWrite(RecordChange change, string id, string node, long nowMs)
{
    private int _writes;
    private bool _isUnanswered;
    private AppRecord? _base;

    /// <summary>The next thing to do.</summary>
    public WriteStage Stage { get; private set; } = WriteStage.Read;

    /// <summary>
    /// The record to write, in <see cref="WriteStage.Write"/>; the record that was written, in <see cref="WriteStage.Succeeded"/>.
    /// </summary>
    public AppRecord? Proposed { get; private set; }

    /// <summary>The reason against the change, in words, in <see cref="WriteStage.Refused"/>.</summary>
    public string? Reason { get; private set; }

    /// <summary>Whether the refused change may have been made for a while: others changed the app before this writer could look.</summary>
    public bool IsUncertain { get; private set; }

    /// <summary>Whether the change may be tried again a little later: others changed the app each time, or the engine was silent.</summary>
    public bool MayRetry { get; private set; }

    /// <summary>The engine's record was read.</summary>
    /// <param name="inEngine">The engine's record; null when it has none.</param>
    /// <param name="onDisk">This node's record, which is younger when the engine lost something; null when it has none.</param>
    public void OnRead(AppRecord? inEngine, AppRecord? onDisk)
    {
        if (IsMine(inEngine) || IsMine(onDisk))
        {
            Stage = WriteStage.Succeeded;
            return;
        }

        if (_writes == RecordLimits.MostWrites)
        {
            string other = inEngine?.By ?? "?";
            Refuse(_isUnanswered ? "the cluster's engine does not answer" : $"changed by node {other} at the same time", mayRetry: true);
            return;
        }

        if (_isUnanswered && _writes > 0 && !IsOvertaken(inEngine))
        {
            string by = $"node {inEngine!.By} has changed the app since; look at it";
            Refuse($"the engine did not say whether the change was made, and {by}", mayRetry: false);
            IsUncertain = true;
            return;
        }

        AppRecord? now = inEngine is null || (onDisk is not null && onDisk.CompareAge(inEngine) > 0) ? onDisk : inEngine;
        RecordChange.Decision decision = change.Decide(now);
        if (decision.Next is null)
        {
            Refuse(decision.Reason!, decision.MayRetry);
            return;
        }

        _base = now;
        Proposed = decision.Next with
        {
            Generation = (now?.Generation ?? 0) + (change.IsMove ? 0 : 1),
            Step = change.IsMove ? now!.Step + 1 : 0,
            Change = id,
            Follows = now?.Change,
            Asked = change.IsMove ? now!.Asked : id,
            By = change.IsMove ? now!.By : node,
            AtMs = change.IsMove ? now!.AtMs : nowMs,
        };
        Stage = WriteStage.Write;
        _writes++;
    }

    /// <summary>The record is longer than the engine takes.</summary>
    /// <param name="bytes">The length of its text.</param>
    /// <param name="most">The greatest length.</param>
    public void OnTooLong(int bytes, int most) => Refuse(
        $"the record of the app has {bytes} bytes with its manifest and the one before, and {most} are the most", mayRetry: false);

    /// <summary>The engine took the write.</summary>
    public void OnWritten() => Stage = WriteStage.Succeeded;

    /// <summary>
    /// The engine has another record than the one that was read, or the session of the read has ended: revisions of another session mean
    /// nothing, as the engine may have come back older.
    /// </summary>
    public void OnOvertaken() => ReadAgain(isUnanswered: false);

    /// <summary>The engine did not answer in its time: the write may have been applied, or may be so later in this session.</summary>
    public void OnNoAnswer() => ReadAgain(isUnanswered: true);

    private bool IsMine(AppRecord? record) => _writes > 0 && record is not null
        && (record.Change == id || record.Follows == id || record.Asked == id);

    /// <summary>
    /// Whether the write without an answer is surely not in the record's past: the record is still the one before, or another change has
    /// the age that the write wanted. The engine may have forgotten, too: then the change is decided again.
    /// </summary>
    private bool IsOvertaken(AppRecord? inEngine) => inEngine is null || inEngine.Generation <= (_base?.Generation ?? 0)
        || (inEngine.Generation == Proposed!.Generation && inEngine.Follows == _base?.Change);

    private void ReadAgain(bool isUnanswered)
    {
        _isUnanswered = isUnanswered;
        Stage = WriteStage.Read;
    }

    private void Refuse(string reason, bool mayRetry)
    {
        Stage = WriteStage.Refused;
        Reason = reason;
        MayRetry = mayRetry;
    }
}
