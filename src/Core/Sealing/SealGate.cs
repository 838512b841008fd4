using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// The sessions of a node: opens them for callers with keys that it knows, finds them for records, and forgets them. Loops find sessions
/// without a lock; openings come one after the other.
/// </summary>
internal sealed class SealGate
{
    private readonly ConcurrentDictionary<UInt128, SealSession> _sessions = new();
    private readonly OpeningMemory _used;                                 // guarded by _opening
    private readonly Dictionary<string, OpeningRate> _rates = [];         // by name; guarded by _opening
    private readonly Lock _opening = new();
    private readonly long _startS;
    private volatile KeyRing _keys;
    private long _nextSweepMs;                                            // guarded by _opening

    /// <param name="keys">The first keys.</param>
    /// <param name="startS">
    /// The start of the node, in seconds since 1970: openings of before are refused. A loss of power may have lost the latest of them.
    /// </param>
    /// <param name="used">The openings that were used.</param>
    public SealGate(KeyRing keys, long startS, OpeningMemory used)
    {
        _keys = keys;
        _startS = startS;
        _used = used;
    }

    /// <summary>The present keys.</summary>
    public KeyRing Keys => _keys;

    /// <summary>Sessions that are open.</summary>
    public int Sessions => _sessions.Count;

    /// <summary>Sessions that were opened.</summary>
    public long Opened { get; private set; }

    /// <summary>Openings that were refused.</summary>
    public long Refused { get; private set; }

    /// <summary>
    /// Opens a session: checks the signature, uses the private key, and remembers the opening. Takes 1.4 ms with keys of 3072 bits, so
    /// this is nothing for a loop.
    /// </summary>
    /// <param name="opening">The opening, as it came.</param>
    /// <param name="unixMs">The time of day, in ms since 1970.</param>
    /// <param name="nowMs">The time by which sessions grow old, ms.</param>
    /// <param name="session">The session; null after a fault.</param>
    /// <exception cref="IOException">The opening is right, and cannot be remembered on the disk: it opens nothing.</exception>
    public SealFault Open(ReadOnlySpan<byte> opening, long unixMs, long nowMs, out SealSession? session)
    {
        lock (_opening)
        {
            SealFault fault = TryOpen(opening, unixMs / 1000, nowMs, out session);
            if (fault == SealFault.None)
            {
                Opened++;
            }
            else
            {
                Refused++;
            }

            return fault;
        }
    }

    /// <summary>
    /// Remembers a signed message of another kind, on the disk when the gate has a file; a message that was remembered before is a fault.
    /// </summary>
    /// <param name="number">A number that no other message has.</param>
    /// <param name="endsS">The second from which on nobody can use the message, since 1970.</param>
    /// <param name="nowS">The time, in seconds since 1970.</param>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public SealFault Remember(UInt128 number, long endsS, long nowS)
    {
        lock (_opening)
        {
            return _used.Add(number, endsS, nowS, isDurable: true);
        }
    }

    /// <summary>The session of a number, for a new request; false when there is none, or its time has passed.</summary>
    public bool TryFind(UInt128 id, long nowMs, [NotNullWhen(true)] out SealSession? session)
    {
        if (_sessions.TryGetValue(id, out session) && !IsOld(session, nowMs))
        {
            session.Touch(nowMs);
            return true;
        }

        session = null;
        return false;
    }

    /// <summary>Other keys count from now on. Sessions of keys that are gone end; they take no more requests.</summary>
    public void Replace(KeyRing keys)
    {
        lock (_opening)
        {
            _keys = keys;
            foreach (SealSession session in _sessions.Values)
            {
                if (!keys.TryGetCaller(session.Thumbprint, out CallerKey? caller) || caller.Name != session.Name)
                {
                    Forget(session);
                }
            }
        }
    }

    private SealFault TryOpen(ReadOnlySpan<byte> opening, long nowS, long nowMs, out SealSession? session)
    {
        session = null;
        KeyRing keys = _keys;
        SealFault fault = OpeningReader.Verify(opening, keys, out CallerKey? sender, out byte[] content);
        if (fault != SealFault.None)
        {
            return fault;
        }

        if (!RateOf(sender!.Name).TryTake(nowMs))
        {
            return SealFault.TooOften;
        }

        fault = OpeningReader.Unwrap(content, sender, keys, out OpeningClaims claims);
        if (fault == SealFault.None)
        {
            fault = CheckTime(in claims, nowS);
        }

        if (fault == SealFault.None)
        {
            // The next start of the node refuses older openings; those of a clock that is ahead must not be lost with the power.
            fault = _used.Add(claims.Number, claims.EndsS + SealLimits.SkewS, nowS, isDurable: claims.IssuedS > nowS);
        }

        if (fault == SealFault.None)
        {
            MakeRoom(sender.Name, nowMs);
            session = new SealSession(
                new OpeningSecret(opening, claims.Key), OpeningSecret.SessionId(opening), SealSide.Node, sender.Name, sender.Thumbprint,
                nowMs);
            _sessions[session.Id] = session;
        }

        CryptographicOperations.ZeroMemory(claims.Key);
        return fault;
    }

    private SealFault CheckTime(in OpeningClaims claims, long nowS) =>
        claims.IssuedS > nowS + SealLimits.SkewS || claims.EndsS < nowS - SealLimits.SkewS ? SealFault.Replayed
        : claims.IssuedS < _startS ? SealFaults.BeforeStart(_startS - claims.IssuedS) : SealFault.None;

    private OpeningRate RateOf(string name)
    {
        if (!_rates.TryGetValue(name, out OpeningRate? rate))
        {
            if (_rates.Count >= SealLimits.MaxPublicKeys)
            {
                _rates.Clear(); // names come from key files: so many have come and gone since the start
            }

            _rates[name] = rate = new OpeningRate();
        }

        return rate;
    }

    /// <summary>Forgets old sessions, and the idlest ones when there are too many.</summary>
    private void MakeRoom(string name, long nowMs)
    {
        if (nowMs >= _nextSweepMs)
        {
            _nextSweepMs = nowMs + 1000;
            foreach (SealSession old in _sessions.Values.Where(session => IsOld(session, nowMs)))
            {
                Forget(old);
            }
        }

        if (_sessions.Values.Where(session => session.Name == name).ToList() is { Count: >= SealLimits.MaxSessionsOfOne } own)
        {
            Forget(own.MinBy(session => session.LastUsedMs)!);
        }
        else if (_sessions.Count >= SealLimits.MaxSessions)
        {
            Forget(_sessions.Values.MinBy(session => session.LastUsedMs)!);
        }
    }

    private void Forget(SealSession session)
    {
        session.End();
        _sessions.TryRemove(session.Id, out _);
    }

    private static bool IsOld(SealSession session, long nowMs) =>
        session.IsOver || nowMs - session.OpenedMs > SealLimits.MaxSessionMs || nowMs - session.LastUsedMs > SealLimits.MaxIdleMs;

    /// <summary>A bucket of openings: full at first, and filled again with time.</summary>
    private sealed class OpeningRate
    {
        private double _left = SealLimits.OpeningBurst;
        private long _atMs = long.MinValue;

        public bool TryTake(long nowMs)
        {
            if (_atMs != long.MinValue)
            {
                _left = Math.Min(SealLimits.OpeningBurst, _left + ((nowMs - _atMs) * SealLimits.OpeningsPerS / 1000.0));
            }

            _atMs = nowMs;
            if (_left < 1)
            {
                return false;
            }

            _left--;
            return true;
        }
    }
}
