using Cocaine.Fast.Core.Security;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Tests.Security;

/// <summary>Lines of the audit: one for each kind of entry in ten seconds, with the number of the others.</summary>
public sealed class AuditTests
{
    private readonly Written _log = new();
    private readonly ManualTime _time = new();

    private List<string> Lines => _log.Lines;

    private static AuditEntry Entry(string name = "drop", string cause = "rule=none") => new(
        "billing", "certificate", "10.0.0.7:51234", "shop/event", "call", cause)
    { Serial = "5e11", App = "shop", Event = name };

    [Fact]
    public void A_refusal_is_one_line_of_keys_and_values()
    {
        Audit audit = new(_log, _time);
        audit.Deny(Entry());
        Assert.Equal(
            ["Warning 565 denied who=billing by=certificate serial=5e11 peer=10.0.0.7:51234 door=shop/event action=call app=shop event=drop rule=none"],
            Lines);
    }

    [Theory]
    [InlineData("a b", "event=\"a b\" ")]
    [InlineData("x rule=all", "event=\"x rule=all\" ")]
    [InlineData("q\"uote", "event=\"q\\\"uote\" ")]
    [InlineData("line\nbreak\u001b[2J", "event=\"line\\\\u000abreak\\\\u001b[2J\" ")]
    public void A_name_of_a_stranger_stays_one_value_on_one_line(string name, string written)
    {
        new Audit(_log, _time).Deny(Entry(name));
        Assert.Contains(written, Assert.Single(Lines));
    }

    [Fact]
    public void Repeats_within_ten_seconds_are_counted_into_one_line()
    {
        Audit audit = new(_log, _time);
        for (int i = 0; i < 1000; i++)
        {
            audit.Deny(Entry());
        }

        audit.Deny(Entry(cause: "reason=rate"));
        Assert.Equal(2, Lines.Count);
        Assert.Equal(1001, audit.Denied);
        _time.EndPeriod();
        Assert.Equal(3, Lines.Count);
        Assert.StartsWith("Warning 567 denied who=billing ", Lines[2]);
        Assert.EndsWith(" rule=none times=999 within=10s", Lines[2]);
        audit.Deny(Entry());
        Assert.StartsWith("Warning 565 ", Lines[3]); // another period begins
    }

    [Fact]
    public void A_stranger_that_invents_callers_and_doors_does_not_fill_the_memory()
    {
        Audit audit = new(_log, _time);
        for (int i = 0; i < 5000; i++)
        {
            audit.Deny(Entry() with { Door = $"door-{i}" });
        }

        Assert.Equal(1024, Lines.Count);
        _time.EndPeriod();
        Assert.Equal("Warning 586 3976 further entries within 10 s were of too many kinds to be told apart", Lines[^1]);
    }

    private sealed class Written : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel} {eventId.Id} {formatter(state, exception)}");
    }

    /// <summary>A clock that is due when the test says so.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private Action? _due;

        public void EndPeriod() => _due!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _due = () => callback(state);
            return new Timer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
