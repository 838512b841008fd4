using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Core.Configuration;

namespace Cocaine.Fast.Cluster.Members;

/// <summary>
/// Gathers the members and their signs of life in one session, and makes views of them. A node is down when it was silent for
/// <see cref="SilenceMs"/> while this node heard itself: the silence of an engine that stands says nothing about nodes. From any thread.
/// </summary>
/// <param name="self">The uuid of this node.</param>
/// <param name="clock">The clock of this node.</param>
internal sealed class MemberTable(string self, TimeProvider clock)
{
    /// <summary>How often a node gives a sign of life, ms.</summary>
    public const int BeatMs = 500;

    /// <summary>A node that is silent for longer is down: four signs of life, as a slow machine or engine may lose some.</summary>
    public const long SilenceMs = 2000;

    /// <summary>How long a new session listens before it calls a node down: it has heard nobody yet.</summary>
    private const long FirstJudgementMs = 3000;

    /// <summary>The most names: each costs some hundred bytes, and more nodes than this were never tried.</summary>
    private const int MostMembers = 4096;

    private readonly Lock _lock = new(); // guards the fields below
    private readonly Dictionary<string, (MemberRecord Record, ulong Revision)> _members = [];
    private readonly Dictionary<string, (Heartbeat Beat, long AtMs)> _beats = []; // by uuid
    private readonly long _sinceMs = NowMs(clock);

    /// <summary>The engine has told a record.</summary>
    /// <param name="entry">The record under its name.</param>
    public void OnEntry(EngineEntry entry)
    {
        MemberRecord? record = MemberText.Read<MemberRecord>(entry.Value);
        lock (_lock)
        {
            if (record is null || record.Name != entry.Key || !EngineAddress.IsNodeName(record.Name))
            {
                _members.Remove(entry.Key);
            }
            else if (_members.TryGetValue(entry.Key, out (MemberRecord Record, ulong Revision) known)
                ? known.Revision < entry.Revision : _members.Count < MostMembers)
            {
                _members[entry.Key] = (record, entry.Revision);
            }
        }
    }

    /// <summary>A node has given a sign of life.</summary>
    /// <param name="text">Its text.</param>
    public void OnBeat(byte[] text)
    {
        if (MemberText.Read<Heartbeat>(text) is not { } beat)
        {
            return;
        }

        lock (_lock)
        {
            bool isKnown = _beats.TryGetValue(beat.Uuid, out (Heartbeat Beat, long AtMs) last);
            if (isKnown ? last.Beat.Incarnation <= beat.Incarnation : _beats.Count < MostMembers)
            {
                _beats[beat.Uuid] = (beat, NowMs(clock));
            }
        }
    }

    /// <summary>How long ago a node was heard, ms; null when never in this session, or when it said that it stops.</summary>
    /// <param name="uuid">The node.</param>
    public long? HeardAgoMs(string uuid)
    {
        lock (_lock)
        {
            return _beats.TryGetValue(uuid, out (Heartbeat Beat, long AtMs) last) && !last.Beat.IsLast ? NowMs(clock) - last.AtMs : null;
        }
    }

    /// <summary>Whether the name's record is another one than this node wrote: another node has it, a copy, or a tombstone.</summary>
    /// <param name="self">This node, whose record was written.</param>
    /// <param name="revision">The revision that the engine gave to that record.</param>
    public bool IsDisplaced(MemberRecord self, ulong revision)
    {
        lock (_lock)
        {
            return _members.TryGetValue(self.Name, out (MemberRecord Record, ulong Revision) now) && now.Revision > revision
                && (now.Record.Uuid != self.Uuid || now.Record.Incarnation != self.Incarnation || now.Record.IsRemoved);
        }
    }

    /// <summary>The members at this moment.</summary>
    public MemberView View()
    {
        lock (_lock)
        {
            long heardMs = _beats.TryGetValue(self, out (Heartbeat Beat, long AtMs) own) ? own.AtMs : _sinceMs;
            return new MemberView([.. _members.Values.Where(member => !member.Record.IsRemoved)
                .OrderBy(member => member.Record.Name, StringComparer.Ordinal).Select(member => Seen(member.Record, heardMs))]);
        }
    }

    private SeenMember Seen(MemberRecord record, long heardMs)
    {
        bool wasHeard = _beats.TryGetValue(record.Uuid, out (Heartbeat Beat, long AtMs) last);
        long silentMs = heardMs - (wasHeard ? last.AtMs : _sinceMs + FirstJudgementMs - SilenceMs);

        // A node that stops says so twice: a sign of life may be lost, and nodes that join later never hear it.
        bool stops = record.IsStopping && (!wasHeard || last.Beat.Incarnation <= record.Incarnation);
        bool saidGoodbye = stops || (wasHeard && last.Beat.IsLast);
        long? downMs = saidGoodbye ? Math.Max(0, silentMs) : silentMs > SilenceMs ? silentMs - SilenceMs : null;
        Member member = new(record.Uuid, record.Name)
        {
            Incarnation = record.Incarnation,
            Labels = record.Labels,
            IsDraining = record.IsDraining,
            DownForMs = downMs,
        };
        return new SeenMember(record, member, wasHeard ? last.Beat.Apps : null)
        {
            Load = wasHeard ? last.Beat.Load : null,
            OfCluster = wasHeard ? last.Beat.OfCluster : null,
        };
    }

    private static long NowMs(TimeProvider clock) => (long)clock.GetElapsedTime(0, clock.GetTimestamp()).TotalMilliseconds;
}
