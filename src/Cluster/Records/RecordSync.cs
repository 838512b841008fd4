using Cocaine.Fast.Cluster.Engine;

namespace Cocaine.Fast.Cluster.Records;

/// <summary>Something that a user should know of.</summary>
/// <param name="App">The app.</param>
/// <param name="Step">The step that was taken.</param>
/// <param name="Kept">The file with the record that did not win; null when there is none.</param>
internal sealed record SyncNote(string App, MergeStep Step, string? Kept);

/// <summary>
/// Brings the records of this node's disk and of the engine together in one session, and writes changes of people. Nothing here ends an
/// app because the engine knows nothing of it.
/// </summary>
/// <param name="session">The session.</param>
/// <param name="store">The disk.</param>
/// <param name="onNote">Told what a user should know of.</param>
internal sealed class RecordSync(NatsSession session, RecordStore store, Action<SyncNote> onNote)
{
    /// <summary>The bucket of the apps.</summary>
    public const string AppsBucket = "cf_apps";

    /// <summary>The most apps: each has a manifest in the memory of every node.</summary>
    private const int MostApps = 4096;

    private TimeSpan _away = store.SinceSync; // zero once this session is in sync; only the merge uses it
    private readonly HashSet<string> _held = []; // apps that were noted as held here; only the merge uses it
    private readonly Lock _lock = new(); // guards the field below
    private readonly Dictionary<string, (AppRecord? Record, ulong Revision)> _inEngine = []; // null = a text that is no record

    /// <summary>Hears all records of the engine and each change, until the session ends.</summary>
    /// <param name="onChange">Called after each.</param>
    /// <param name="onWhole">Called once, when all that were there have been heard.</param>
    public Task WatchAsync(Action onChange, Action onWhole) => session.WatchAsync(
        AppsBucket,
        entry =>
        {
            OnEntry(entry);
            onChange();
        },
        onWhole);

    /// <summary>Takes from the engine all that is younger there, and puts back all that is younger here.</summary>
    /// <param name="putsBack">Whether the engine gets something now.</param>
    /// <returns>Whether the disk has changed.</returns>
    public async Task<bool> MergeAsync(bool putsBack)
    {
        Dictionary<string, (AppRecord? Record, ulong Revision)> inEngine;
        lock (_lock)
        {
            inEngine = new(_inEngine);
        }

        bool hasChanged = false, holds = false;
        foreach (string app in inEngine.Keys.Union(store.All.Select(record => record.App)).ToArray())
        {
            (AppRecord? theirs, ulong revision) = inEngine.GetValueOrDefault(app);
            AppRecord? ours = store.Find(app);
            MergeStep step = RecordMerge.Decide(theirs, ours, store.SinceStored(app), _away);
            if (step == MergeStep.PutBack)
            {
                if (putsBack && await PutBackAsync(ours!, revision).ConfigureAwait(false))
                {
                    onNote(new SyncNote(app, step, null));
                }
            }
            else if (step == MergeStep.KeepHere)
            {
                holds = true;
                if (_held.Add(app))
                {
                    onNote(new SyncNote(app, step, null));
                }
            }
            else if (step != MergeStep.Nothing)
            {
                Take(theirs!, ours, step);
                hasChanged = true;
            }
            else if (ours is not null && RecordMerge.MayForget(ours, store.SinceStored(app)))
            {
                store.Forget(app);
            }
        }

        // With a record that only a person can decide about, the node stays as it came: or it would put the record back the next time.
        if (putsBack && !holds && !session.Ended.IsCompleted)
        {
            store.KeepSync();
            _away = TimeSpan.Zero;
        }

        return hasChanged;
    }

    /// <summary>Makes a change in the engine and then here.</summary>
    /// <param name="app">The app.</param>
    /// <param name="change">The change.</param>
    /// <param name="node">The name of this node.</param>
    /// <param name="nowMs">ms since 1970.</param>
    /// <returns>The writer, which has succeeded or was refused.</returns>
    /// <exception cref="EngineException">The engine cannot be reached.</exception>
    public async Task<RecordWrite> ChangeAsync(string app, RecordChange change, string node, long nowMs)
    {
        RecordWrite write = new(change, Guid.NewGuid().ToString(), node, nowMs);
        ulong revision = 0;
        while (write.Stage is WriteStage.Read or WriteStage.Write)
        {
            if (write.Stage == WriteStage.Read)
            {
                EngineEntry entry = await session.ReadAsync(AppsBucket, app).ConfigureAwait(false);
                revision = entry.Revision;
                write.OnRead(RecordOf(entry), store.Find(app));
                continue;
            }

            byte[] text = RecordText.Write(write.Proposed!);
            if (text.Length > EngineBounds.LongestValue)
            {
                write.OnTooLong(text.Length, EngineBounds.LongestValue);
                continue;
            }

            (WriteOutcome outcome, ulong next) = await session.WriteAsync(AppsBucket, app, text, revision).ConfigureAwait(false);
            switch (outcome)
            {
                case WriteOutcome.Written:
                    write.OnWritten();
                    OnEntry(new EngineEntry(app, text, next));
                    break;
                case WriteOutcome.Overtaken:
                    write.OnOvertaken();
                    break;
                default:
                    write.OnNoAnswer();
                    break;
            }
        }

        if (write.Stage == WriteStage.Succeeded && (store.Find(app) is not { } ours || ours.CompareAge(write.Proposed!) < 0))
        {
            store.Keep(write.Proposed!);
        }

        return write;
    }

    private void OnEntry(EngineEntry entry)
    {
        lock (_lock)
        {
            bool isKnown = _inEngine.TryGetValue(entry.Key, out (AppRecord? Record, ulong Revision) known);
            if (isKnown ? known.Revision < entry.Revision : _inEngine.Count < MostApps)
            {
                _inEngine[entry.Key] = (RecordOf(entry), entry.Revision);
            }
        }
    }

    private static AppRecord? RecordOf(EngineEntry entry) =>
        RecordText.Read(entry.Value) is { } record && RecordStore.IsGood(entry.Key, record) ? record : null;

    private void Take(AppRecord theirs, AppRecord? ours, MergeStep step)
    {
        string? kept = step switch
        {
            MergeStep.TakeAndKeepConflict => store.KeepAside(ours!, "conflict"),
            MergeStep.TakeAndKeepOld => store.KeepAside(ours!, "old"),
            _ => null,
        };
        store.Keep(theirs);
        if (kept is not null)
        {
            onNote(new SyncNote(theirs.App, step, kept));
        }
    }

    private async Task<bool> PutBackAsync(AppRecord ours, ulong revision)
    {
        byte[] text = RecordText.Write(ours);
        (WriteOutcome outcome, ulong next) = await session.WriteAsync(AppsBucket, ours.App, text, revision).ConfigureAwait(false);
        if (outcome == WriteOutcome.Written)
        {
            OnEntry(new EngineEntry(ours.App, text, next));
        }

        return outcome == WriteOutcome.Written;
    }
}
