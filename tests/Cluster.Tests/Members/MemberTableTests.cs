using System.Text;
using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Members;

namespace Cocaine.Fast.Cluster.Tests.Members;

/// <summary>Which nodes are down, by the signs of life that a node heard.</summary>
public class MemberTableTests
{
    private readonly Clock _clock = new();

    [Fact]
    public void A_node_is_down_when_it_was_silent_while_this_node_heard_itself()
    {
        MemberTable table = TableOf("a", "b");
        Advance(table, 2500, "a");
        Assert.Equal("a up, b up", Shown(table)); // a new session has heard nobody yet
        Advance(table, 1000, "a");
        Assert.Equal("a up, b down", Shown(table));
        Advance(table, 0, "b", "a");
        Assert.Equal("a up, b up", Shown(table));
        Advance(table, 60_000);
        Assert.Equal("a up, b up", Shown(table)); // the engine passes nothing on: it says nothing about b
        Advance(table, 0, "a");
        Assert.Equal("a up, b down", Shown(table));
    }

    [Fact]
    public void A_node_that_says_goodbye_is_down_at_once_and_up_again_when_it_starts()
    {
        MemberTable table = TableOf("a", "b");
        Advance(table, 0, "a", "b");
        table.OnBeat(MemberText.Write(new Heartbeat("uuid-b", 1, 0, IsLast: true)));
        Assert.Equal("a up, b down", Shown(table));
        table.OnBeat(MemberText.Write(new Heartbeat("uuid-b", 0, 0))); // of an earlier start
        Assert.Equal("a up, b down", Shown(table));
        table.OnBeat(MemberText.Write(new Heartbeat("uuid-b", 2, 0)));
        Assert.Equal("a up, b up", Shown(table));
    }

    [Fact]
    public void A_node_whose_record_says_that_it_stops_is_down_at_once_also_for_one_that_never_heard_it()
    {
        MemberTable table = TableOf("a", "b");
        MemberRecord stops = new("uuid-b", "b", 1) { IsStopping = true };
        table.OnEntry(new EngineEntry("b", MemberText.Write(stops), 2));
        Assert.Equal("a up, b down", Shown(table)); // in a new session, which has heard nobody
        Advance(table, 0, "a", "b");
        Assert.Equal("a up, b down", Shown(table)); // a sign of life that was on its way
        table.OnBeat(MemberText.Write(new Heartbeat("uuid-b", 2, 0))); // it starts again
        Assert.Equal("a up, b up", Shown(table));
    }

    [Fact]
    public void Another_record_under_the_own_name_displaces_a_node()
    {
        MemberTable table = new("uuid-a", _clock);
        MemberRecord self = new("uuid-a", "a", 5);
        table.OnEntry(new EngineEntry("a", MemberText.Write(self), 7));
        Assert.False(table.IsDisplaced(self, 7));
        table.OnEntry(new EngineEntry("a", MemberText.Write(self with { Version = "x" }), 8));
        Assert.False(table.IsDisplaced(self, 7));
        foreach (MemberRecord other in (MemberRecord[])[self with { Uuid = "x" }, self with { Incarnation = 6 }, self with { IsRemoved = true }])
        {
            table.OnEntry(new EngineEntry("a", MemberText.Write(other), 9));
            Assert.True(table.IsDisplaced(self, 7));
            Assert.False(table.IsDisplaced(self, 9)); // it was written after
        }
    }

    [Fact]
    public void What_is_no_member_is_none()
    {
        MemberTable table = TableOf("a");
        string good = Encoding.UTF8.GetString(MemberText.Write(new MemberRecord("u", "x", 1)));
        string[] broken = ["", "null", "[]", "{}", good[..^1], good.Replace("\"x\"", "null"), good.Replace(":1,", ":\"1\","), good.Replace("{}", "1")];
        foreach (string text in broken)
        {
            table.OnEntry(new EngineEntry("x", Encoding.UTF8.GetBytes(text), 2));
            table.OnBeat(Encoding.UTF8.GetBytes(text));
        }

        table.OnEntry(new EngineEntry("y", Encoding.UTF8.GetBytes(good), 3)); // under another name
        table.OnEntry(new EngineEntry("../x", MemberText.Write(new MemberRecord("u", "../x", 1)), 3));
        Assert.Equal("a up", Shown(table));
        table.OnEntry(new EngineEntry("x", Encoding.UTF8.GetBytes(good), 4));
        Assert.Equal("a up, x up", Shown(table));
    }

    private MemberTable TableOf(params string[] names)
    {
        MemberTable table = new($"uuid-{names[0]}", _clock);
        foreach (string name in names)
        {
            table.OnEntry(new EngineEntry(name, MemberText.Write(new MemberRecord($"uuid-{name}", name, 1)), 1));
        }

        return table;
    }

    private void Advance(MemberTable table, long ms, params string[] alive)
    {
        _clock.NowMs += ms;
        foreach (string name in alive)
        {
            table.OnBeat(MemberText.Write(new Heartbeat($"uuid-{name}", 1, 0)));
        }
    }

    private static string Shown(MemberTable table) =>
        string.Join(", ", table.View().Nodes.Select(node => $"{node.Record.Name} {(node.Member.DownForMs is null ? "up" : "down")}"));

    private sealed class Clock : TimeProvider
    {
        public long NowMs { get; set; } = 1_000_000;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => NowMs;
    }
}
