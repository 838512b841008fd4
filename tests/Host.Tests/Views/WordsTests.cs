using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Host.Commands;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Host.Tests.Views;

/// <summary>Times, sizes, events and pages as people read them.</summary>
public class WordsTests
{
    private static readonly Screen Terminal = new(80, HasColours: false);

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(1_234, "1.23 µs")]
    [InlineData(45_600, "45.6 µs")]
    [InlineData(999_400, "999 µs")]
    [InlineData(999_600, "1.00 ms")]
    [InlineData(2_350_000_000, "2.35 s")]
    [InlineData(59_900_000_000, "59.9 s")]
    [InlineData(59_960_000_000, "1m 00s")]
    [InlineData(192_000_000_000, "3m 12s")]
    [InlineData(7_500_000_000_000, "2h 05m")]
    [InlineData(370_800_000_000_000, "4d 07h")]
    public void A_duration_has_its_unit_and_three_digits(double ns, string text) => Assert.Equal(text, When.Span(ns));

    [Theory]
    [InlineData(512, "512 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(18 << 20, "18 MiB")]
    [InlineData((1L << 30) - 1, "1 GiB")]
    public void A_size_has_its_unit(long bytes, string text) => Assert.Equal(text, Amount.Size(bytes));

    [Fact]
    public void A_moment_has_its_date_when_it_is_not_of_today_and_always_in_a_file()
    {
        DateTimeOffset now = new(2026, 11, 28, 18, 0, 0, TimeSpan.FromHours(1)), time = new(2026, 11, 28, 9, 5, 7, 42, TimeSpan.FromHours(1));
        Assert.Equal("09:05:07.042", When.Moment(time, now, isShort: true, withMilliseconds: true));
        Assert.Equal("11-27 09:05:07", When.Moment(time.AddDays(-1), now, isShort: true, withMilliseconds: false));
        Assert.Equal("2025-11-28 09:05:07", When.Moment(time.AddYears(-1), now, isShort: true, withMilliseconds: false));
        Assert.Equal("2026-11-28 09:05:07.042", When.Moment(time, now, isShort: false, withMilliseconds: true));
    }

    [Fact]
    public void A_screen_is_as_wide_as_the_user_says_or_the_terminal_or_80_and_has_colours_where_they_are_wanted()
    {
        static Screen Of(bool redirected, int terminal, params (string Name, string Value)[] variables) => Screen.Of(
            redirected, name => variables.FirstOrDefault(one => one.Name == name).Value, () => terminal);
        Assert.Equal(new Screen(null, false), Of(true, 100, ("COLUMNS", "90"), ("TERM", "xterm")));
        Assert.Equal(new Screen(90, true), Of(false, 100, ("COLUMNS", "90"), ("TERM", "xterm")));
        Assert.Equal(new Screen(100, true), Of(false, 100, ("COLUMNS", "x"), ("TERM", "xterm"), ("NO_COLOR", "")));
        Assert.Equal(new Screen(80, false), Of(false, 0, ("NO_COLOR", "1"), ("TERM", "xterm")));
        Assert.Equal(new Screen(80, false), Screen.Of(false, _ => null, () => throw new IOException("no terminal")));
        Assert.Equal(new Screen(null, true), new Screen(90, true).Wide(true));
    }

    [Fact]
    public void An_event_names_its_app_once_is_not_padded_and_goes_on_below_itself()
    {
        NodeEvent item = new(
            DateTimeOffset.UtcNow, "a-name-of-20-letters", 1, "died", "warning",
            "a-name-of-20-letters: slave 0255b69e died while Starting, of a cause that is told in so many words that they go on: exit code 1\n"
            + $"  {new string('x', 100)}\n\u001b[31mred", new Dictionary<string, string>());
        string[] lines = EventsCommand.Line(item, Terminal).Split('\n');
        Assert.Matches(@"^[0-9:.]{12}  warning  a-name-of-20-letters  died  slave 0255b69e died while$", lines[0]);
        Assert.Equal("    \\u001b[31mred", lines[^1]);
        Assert.All(lines.Skip(1), line => Assert.StartsWith("    ", line));
        ColumnsTests.AssertFits(string.Join('\n', lines), 80);
        Assert.Contains(new string('x', 100), EventsCommand.Line(item, new Screen(null, false)));
    }

    [Fact]
    public void A_page_says_what_is_wrong_first_and_fits_with_a_name_of_twenty_letters_and_hostile_texts()
    {
        const string Info = """
            { "app": "a-name-of-20-letters", "version": 3, "state": "broken", "paused": true, "cause": "Traceback\nImportError: \u001b[31mPIL",
              "queue": { "depth": 10, "limit": 10, "bytes": 4096, "bytes-limit": 134217728, "oldest-age-ms": 61000, "serves": "newest" },
              "jobs": { "accepted": 41302, "done": 41290, "failed": 9, "running": 2, "rejected": 1, "retried": 2, "quarantined": 1,
                        "errors": { "502": 3, "504": 6 }, "timeouts": { "queue": 6, "silence": 0 } },
              "next": { "version": 4, "starting": 1, "age-ms": 1200 }, "older": [ { "version": 2, "queued": 0, "running": 1, "slaves": 1 } ],
              "pool": { "limit": 1, "minimum": 1, "total": 1, "starting": 0, "idle": 0, "busy": 1, "recycled": { "max-jobs": 2 },
                "slaves": [ { "id": "46168330", "state": "busy", "pipe": "shared memory", "pid": 4711, "load": 2, "jobs-done": 41302,
                  "age-ms": 7500000, "silent-ms": 12, "rss-bytes": 18874368,
                  "jobs": [ { "id": 53788, "event": "re\u001bsize", "since": "2020-01-01T00:00:00Z" }, { "id": 53789, "event": "resize" } ] } ] },
              "tasks": { "event": { "type": "native-server", "endpoints": ["tcp://127.0.0.1:9100", "tcp://[::1]:9100"],
                "time-in-queue-s": { "p50": 0.0001, "p99": 0.0234, "p999": 0.03, "max": 1.5, "count": 41299 },
                "time-on-slave-s": { "p50": 0.00123, "p99": 0.0456, "p999": 0.1, "max": 9.5, "count": 41299 } } } }
            """;
        using JsonDocument info = JsonDocument.Parse(Info);
        string text = new InfoPage(new JsonFacts(info.RootElement), 812.4, Terminal).Render();
        ColumnsTests.AssertFits(text, 80);
        Assert.StartsWith(
            "a-name-of-20-letters, version 3: broken\n  ! its slaves do not start: ImportError: \\u001b[31mPIL\n"
            + "      cocaine-fast app logs a-name-of-20-letters\n  ! it is paused: new jobs get 503\n", text);
        Assert.Contains("  ! the queue is full", text);
        Assert.Contains("queue     10 of 10 jobs, 4 KiB of 128 MiB; the oldest waits 1m 01s; after a\n", text);
        Assert.Contains("41,290 done, 9 failed, 1 refused", text);
        Assert.Matches(@"; 812/s\s+now\n", text);
        Assert.Contains("errors    502: 3, 504: 6\ntimeouts  queue: 6\n", text);
        Assert.Matches("(?m)^46168330  busy +4711 +2 +41,302 +2h 05m +12.0 ms +18 MiB", text);
        Assert.Contains("    re\\u001bsize (job 53788) for ", text);
        Assert.Matches("(?m)^event +41,299 +100 µs +23.4 ms +1.50 s +1.23 ms +45.6 ms", text);
    }

    [Fact]
    public void A_page_of_a_node_that_says_other_things_is_no_fault()
    {
        using JsonDocument info = JsonDocument.Parse("""{ "app": 7, "queue": [], "pool": { "slaves": 3 }, "tasks": "none", "jobs": null }""");
        Assert.StartsWith("7, version : \n", new InfoPage(new JsonFacts(info.RootElement), null, Terminal).Render());
    }

    [Fact]
    public void Every_value_is_in_the_list_of_all_and_its_lines_cannot_drive_the_terminal()
    {
        using JsonDocument info = JsonDocument.Parse("""{ "a": { "b": [1, 2], "c": [ { "d": "x\u001b[2J\ny" } ] }, "\u001be": null }""");
        Assert.Equal("a.b       1, 2\na.c[0].d  x\\u001b[2J\n    y\n\\u001be\n", Facts.Render(info.RootElement, 80));
    }

    [Fact]
    public void An_answer_on_a_terminal_is_text_whatever_bytes_it_has_and_wherever_its_chunks_end()
    {
        StringWriter terminal = new();
        using (TerminalAnswer answer = new(terminal))
        {
            foreach (byte one in Encoding.UTF8.GetBytes("žluť 😀\r\nnext\r\u001b[2J\u009b\tend").Append((byte)0xff))
            {
                answer.Write([one]);
            }
        }

        Assert.Equal("žluť 😀\nnext\\u000d\\u001b[2J\\u009b\tend\ufffd", terminal.ToString());
    }

    [Fact]
    public void The_version_has_seven_digits_of_its_commit()
    {
        Assert.Equal("0.1.0+1a2b3c4", ProductVersion.Shortened("0.1.0+1a2b3c4d5e6f"));
        Assert.Equal("0.1.0", ProductVersion.Shortened("0.1.0"));
        Assert.Matches(@"^\d+\.\d+\.\d+(\+[0-9a-f]{7})?$", ProductVersion.Text);
    }

    [Fact]
    public void What_went_wrong_with_a_worker_is_below_its_case_where_it_does_not_fit()
    {
        string line = WorkerCheckCommand.Line(
            new Tools.WorkerCheck.CheckRow("shared-memory", "a-case", Tools.WorkerCheck.CheckOutcome.Failed, "\u001b[2Jsaid " + new string('x', 40), "section 3"), 80);
        ColumnsTests.AssertFits(line, 80);
        Assert.Matches("^shared-memory  a-case +FAILED\n    \\\\u001b\\[2Jsaid x+ \\(section 3\\)$", line);
    }
}
