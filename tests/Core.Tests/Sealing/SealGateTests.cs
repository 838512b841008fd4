using Cocaine.Fast.Core.Sealing;
using static Cocaine.Fast.Core.Tests.Sealing.SealVectors;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>Sessions of a node: an opening works once and in its time; old, idle and surplus sessions go.</summary>
public class SealGateTests
{
    [Fact]
    public void An_opening_works_once()
    {
        SealGate gate = Gate();
        byte[] opening = Opening();
        Assert.Equal(SealFault.None, gate.Open(opening, NowS * 1000, 0, out _));
        Assert.Equal(SealFault.Replayed, gate.Open(opening, NowS * 1000, 0, out SealSession? again));
        Assert.Equal(SealFault.Replayed, gate.Open(opening, (NowS + 119) * 1000, 0, out _));
        Assert.Equal(SealFault.Replayed, gate.Open(opening, (NowS + 121) * 1000, 0, out _)); // forgotten, and too old
        Assert.Null(again);
        Assert.Equal((1, 1L, 3L), (gate.Sessions, gate.Opened, gate.Refused));
    }

    [Theory]
    [InlineData(-61, false)]
    [InlineData(-60, true)]
    [InlineData(0, true)]
    [InlineData(120, true)] // 60 s of life, 60 s of skew
    [InlineData(121, false)]
    public void Clocks_may_differ_by_a_minute(int nodeIsAheadS, bool isTaken) =>
        Assert.Equal(isTaken ? SealFault.None : SealFault.Replayed, Gate().Open(Opening(), (NowS + nodeIsAheadS) * 1000, 0, out _));

    [Fact]
    public void Openings_of_before_the_start_are_refused_and_the_caller_learns_when_to_try_again()
    {
        SealFault fault = Gate(NowS + 1).Open(Opening(), (NowS + 1) * 1000, 0, out SealSession? session);
        Assert.Null(session);
        Assert.Equal("seal: made 1 s before this node's start by the caller's clock: try again in 1 s, or set the clock", SealFaults.TextOf(fault));
        Assert.Equal((401, 1, "reason=seal-before-start"), (SealFaults.CodeOf(fault), SealFaults.RetryAfterS(fault), SealFaults.CauseOf(fault)));
        foreach ((int behindS, string text) in new[] { (40, "try again in 40 s"), (100, "try again in 100 s"), (121, "replayed or too old") })
        {
            SealGate gate = Gate(NowS); // of a node that starts now
            byte[] opening = Opening(NowS - behindS);
            for (int i = 0; i < 2; i++)
            {
                fault = gate.Open(opening, NowS * 1000, 0, out session);
                Assert.Null(session);
                Assert.Contains(text, SealFaults.TextOf(fault), StringComparison.Ordinal);
                Assert.Equal(behindS > 120 ? 0 : Math.Min(behindS, 60), SealFaults.RetryAfterS(fault));
            }

            fault = gate.Open(Opening(NowS), (NowS + behindS) * 1000, 0, out _); // the caller has waited: its clock says the time of the start
            Assert.Equal(behindS > 120 ? SealFault.Replayed : SealFault.None, fault);
        }

        Assert.Equal(SealFault.None, Gate(NowS + 1).Open(Opening(NowS + 1), (NowS + 1) * 1000, 0, out _));
    }

    [Fact]
    public void Openings_of_an_identity_come_at_its_rate()
    {
        SealGate gate = Gate();
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(SealFault.None, gate.Open(Opening(), NowS * 1000, 0, out _));
        }

        Assert.Equal(SealFault.TooOften, gate.Open(Opening(), NowS * 1000, 0, out _));
        Assert.Equal(SealFault.TooOften, gate.Open(Opening(), NowS * 1000, 199, out _));
        Assert.Equal(SealFault.None, gate.Open(Opening(), NowS * 1000, 400, out _));
        Assert.Equal(SealFault.None, gate.Open(Opening(sender: "other"), NowS * 1000, 400, out _)); // another identity has its own rate
        Assert.Equal(SealFault.CannotOpen, gate.Open([.. Opening(), (byte)'A'], NowS * 1000, 400, out _)); // a forgery takes nothing of the rate
        Assert.Equal(SealFault.None, gate.Open(Opening(), NowS * 1000, 600, out _));
    }

    [Fact]
    public void Sessions_grow_old_and_idle()
    {
        SealGate gate = Gate();
        gate.Open(Opening(), NowS * 1000, 0, out SealSession? session);
        UInt128 id = session!.Id;
        for (long now = 0; now <= SealLimits.MaxSessionMs; now += SealLimits.MaxIdleMs)
        {
            Assert.True(gate.TryFind(id, now, out _));
        }

        Assert.False(gate.TryFind(id, SealLimits.MaxSessionMs + 1, out _));
        gate.Open(Opening(), NowS * 1000, 0, out session);
        Assert.True(gate.TryFind(session!.Id, SealLimits.MaxIdleMs, out _));
        Assert.False(gate.TryFind(session.Id, (2 * SealLimits.MaxIdleMs) + 1, out _));
        Assert.False(gate.TryFind(UInt128.One, 0, out _));
    }

    [Fact]
    public void The_idlest_session_of_an_identity_makes_room()
    {
        SealGate gate = Gate();
        List<SealSession> sessions = [];
        gate.Open(Opening(sender: "other"), NowS * 1000, 0, out SealSession? foreign);
        for (int i = 0; i < SealLimits.MaxSessionsOfOne; i++)
        {
            Assert.Equal(SealFault.None, gate.Open(Opening(), NowS * 1000, i * 1000, out SealSession? session));
            sessions.Add(session!);
        }

        Assert.True(gate.TryFind(sessions[0].Id, 64_000, out _)); // the first is in use; the second is the idlest
        Assert.Equal(SealFault.None, gate.Open(Opening(), NowS * 1000, 65_000, out _));
        Assert.Equal((SealLimits.MaxSessionsOfOne + 1, false, true), (gate.Sessions, sessions[0].IsOver, sessions[1].IsOver));
        Assert.False(gate.TryFind(sessions[1].Id, 65_000, out _));
        Assert.False(foreign!.IsOver);
    }

    [Fact]
    public void Sessions_of_a_key_end_with_it()
    {
        SealGate gate = Gate();
        gate.Open(Opening(), NowS * 1000, 0, out SealSession? gone);
        gate.Open(Opening(sender: "other"), NowS * 1000, 0, out SealSession? stays);
        KeyRing ring = Ring();
        Assert.True(ring.TryGetOwn(NodeName, out OwnKey? own));
        gate.Replace(new KeyRing([Caller("other", "other")], [own!]));
        Assert.Equal((true, false), (gone!.IsOver, stays!.IsOver));
        Assert.False(gate.TryFind(gone.Id, 0, out _));
        Assert.Equal(SealFault.CannotOpen, gate.Open(Opening(), NowS * 1000, 0, out _));
        gate.Replace(new KeyRing([Caller("other", "renamed")], [own]));
        Assert.True(stays.IsOver); // the key belongs to another identity now
    }

    [Fact]
    public void A_full_memory_of_openings_refuses_until_time_has_passed()
    {
        OpeningMemory memory = new();
        for (uint i = 0; i < SealLimits.MaxOpenings; i++)
        {
            Assert.Equal(SealFault.None, memory.Add(i, endsS: 100, nowS: 50));
        }

        Assert.Equal(SealFault.Full, memory.Add(1 << 20, 100, 50));
        Assert.Equal(SealFault.Replayed, memory.Add(7, 100, 50));
        Assert.Equal(SealFault.Full, memory.Add(1 << 20, 100, 100));
        Assert.Equal(SealFault.None, memory.Add(1 << 20, 200, 101));
        Assert.Equal(1, memory.Count);
    }
}
