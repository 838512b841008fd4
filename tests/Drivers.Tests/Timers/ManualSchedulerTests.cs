using System.Globalization;
using System.Text;
using Cocaine.Fast.Drivers.Timers;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>The manual-scheduler on a virtual clock.</summary>
public class ManualSchedulerTests
{
    private static readonly double Start = VirtualApp.Start.ToUnixTimeMilliseconds() / 1000.0;

    [Fact]
    public void The_app_says_when_it_runs_next()
    {
        double[] offsets = [10, 10.25, 3600, 100];
        VirtualApp app = new() { Answer = number => number < offsets.Length ? [Text(Start + offsets[number])] : ["null"] };
        app.Open("manual-scheduler");
        Assert.Equal("none", app.Fact("next-tick"));
        app.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal("2027-01-01T00:00:10.000Z", app.Fact("next-tick"));
        app.Pass(TimeSpan.FromHours(2));
        Assert.Equal([0, 10_000, 10_250, 3_600_000, 3_600_010], app.Runs); // 100 had passed: at once, but not in a tight loop
        Assert.Equal("ended by the app", app.Fact("state"));
        Assert.Empty(app.Results);
    }

    [Fact]
    public void A_clock_that_jumps_is_followed()
    {
        VirtualApp app = new() { Answer = number => number == 0 ? [Text(Start + 3600)] : ["null"] };
        app.Open("manual-scheduler");
        app.Pass(TimeSpan.FromMinutes(10));
        app.SetClock(TimeSpan.FromMinutes(45));
        app.Pass(TimeSpan.FromMinutes(10));
        Assert.Equal([0, 15 * 60_000], app.Runs);
    }

    [Fact]
    public void A_useless_answer_is_asked_for_again_later_and_later_and_published()
    {
        string[]?[] answers = [["soon"], null, [], ["[1]"], [Text(Start * 1000)], [Text(Start + 20)], ["{}"], ["null"]];
        VirtualApp app = new() { Answer = number => answers[number] };
        app.Open("manual-scheduler");
        app.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal([0, 1000, 3000, 7000, 15_000, 31_000, 31_010, 32_010], app.Runs);
        Assert.Equal(
            ["tick: soon", "tick: error 42 100 it failed", "tick: [1]", $"tick: {Text(Start * 1000)}", "tick: {}"], app.Results);
    }

    [Fact]
    public void The_pause_has_a_bound()
    {
        VirtualApp app = new() { Answer = _ => null };
        app.Open("manual-scheduler");
        app.Pass(TimeSpan.FromHours(1));
        Assert.Equal(60_000, app.Runs[^1] - app.Runs[^2]);
        Assert.InRange(app.Runs.Count, 60, 70);
    }

    [Fact]
    public void Chunks_before_the_last_are_published()
    {
        string large = "{\"rows\": \"" + new string('x', 1000) + "\"}";
        VirtualApp app = new() { Answer = number => number == 0 ? ["{\"a\": 1}", large, Text(Start + 5)] : ["{\"b\": 2}", "null"] };
        app.Open("manual-scheduler");
        app.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(["tick: {\"a\": 1}", $"tick: {large}", "tick: {\"b\": 2}"], app.Results);
        Assert.Equal([0, 5000], app.Runs);
    }

    [Theory]
    [InlineData("1800000000", 1800000000.0)]
    [InlineData(" 1800000000.5\n", 1800000000.5)]
    [InlineData("1.8e9", 1800000000.0)]
    [InlineData("0", 0.0)]
    [InlineData("-1", null)]
    [InlineData("NaN", null)]
    [InlineData("Infinity", null)]
    [InlineData("1e99", null)]
    [InlineData("\"1800000000\"", null)]
    [InlineData("1800000000 1", null)]
    [InlineData("", null)]
    public void Times_as_text(string text, double? seconds) => AssertReads(Encoding.UTF8.GetBytes(text), seconds);

    [Fact]
    public void Times_as_MessagePack()
    {
        AssertReads([0xce, .. BitConverter.GetBytes(1_800_000_000).Reverse()], 1_800_000_000);
        AssertReads([0xcb, .. BitConverter.GetBytes(1_800_000_000.25).Reverse()], 1_800_000_000.25);
        AssertReads([0xca, .. BitConverter.GetBytes(1024f).Reverse()], 1024);
        AssertReads([0xcb, .. BitConverter.GetBytes(double.NaN).Reverse()], null);
        AssertReads([0xff], null); // -1
        AssertReads([0xce, 1, 2], null);
        AssertReads([0xc0, 0xc0], null);
        AssertReads([0x81, 0x01, 0x02], null);
        Assert.Equal(NextTimeKind.Never, NextTime.Read([0xc0]).Kind);
        Assert.Equal(NextTimeKind.Never, NextTime.Read("null"u8).Kind);
    }

    private static void AssertReads(byte[] chunk, double? seconds)
    {
        NextTime time = NextTime.Read(chunk);
        Assert.Equal(seconds is null ? NextTimeKind.Useless : NextTimeKind.At, time.Kind);
        if (seconds is { } expected)
        {
            Assert.Equal(expected, (time.At - DateTimeOffset.UnixEpoch).TotalSeconds, 6);
        }
    }

    private static string Text(double seconds) => seconds.ToString("R", CultureInfo.InvariantCulture);
}
