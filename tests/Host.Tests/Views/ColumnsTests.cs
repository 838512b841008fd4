using Cocaine.Fast.Host.Commands;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Quarantine;

namespace Cocaine.Fast.Host.Tests.Views;

/// <summary>Lists in terminals of some widths: no line is longer, and no name is broken.</summary>
public class ColumnsTests
{
    private const string Name = "a-name-of-20-letters";
    private const string Hostile = "\u001b]0;title\u0007\u001b[2J\r\u202eevil\u0085\nsecond";

    private static readonly Screen Terminal = new(80, HasColours: false);

    private static readonly AppSummary[] Apps =
    [
        new(Name, 12, "running", 10, 8, 1000, 123_456_789, 4321, ["tcp://127.0.0.1:9100", "tcp://[::1]:9100"]),
        new("hello", 0, "broken", 0, 0, 0, 0, 0, ["tcp://127.0.0.1:9101"], $"Traceback\nModuleNotFoundError: No module named 'PIL' {Hostile.Split('\n')[0]}"),
        new("third", 0, "replacing", 2, 1, 0, 5, 0, []),
    ];

    public static TheoryData<int> Widths => [60, 80, 100, 132];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Apps_fit_and_their_names_are_whole(int width)
    {
        string text = AppViews.AppColumns.Render(Apps, width);
        AssertFits(text, width);
        Assert.All(Apps, app => Assert.Contains(text.Split('\n'), line => line.StartsWith(app.App + "  ", StringComparison.Ordinal)));
        Assert.Contains("    ModuleNotFoundError: No module named 'PIL'", text);
    }

    [Fact]
    public void Eighty_columns_show_the_endpoint_of_an_app_with_twenty_letters_and_tell_what_is_not_shown()
    {
        string text = AppViews.AppColumns.Render(Apps, 80);
        Assert.Matches($"(?m)^{Name}  running +10 +1000 +4321  tcp://127.0.0.1:9100 \\+1$", text);
        Assert.EndsWith("(version, busy, done: with --wide)\n", text);
    }

    [Fact]
    public void Without_a_terminal_all_columns_are_there_and_nothing_is_cut()
    {
        string[] lines = AppViews.AppColumns.Render(Apps, width: null).TrimEnd().Split('\n');
        Assert.Equal(Apps.Length + 1, lines.Length);
        Assert.Matches("^app +version +state +slaves +busy +queued +done +failed +endpoints +reason$", lines[0]);
        Assert.Contains("tcp://127.0.0.1:9100 tcp://[::1]:9100", lines[1]);
        Assert.EndsWith("No module named 'PIL' \\u001b]0;title\\u0007\\u001b[2J\\u000d\\u202eevil", lines[2]);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Jobs_in_quarantine_fit(int width)
    {
        QuarantineEntry[] jobs =
        [
            new("20261128T181928.749-5", Name, Name, DateTimeOffset.UtcNow.AddDays(-400), new string('c', 300), 123_456),
            new("20261128T181928.749-6", "other", Hostile, DateTimeOffset.UtcNow, Hostile, 0),
        ];
        AssertFits(QuarantineCommand.JobColumns(Terminal).Render(jobs, width), width);
    }

    [Fact]
    public void What_all_have_is_said_once_above_the_list()
    {
        Columns<(string App, string Event)> columns = new(
            new("app", row => row.App) { IsSaidOnce = true }, new("event", row => row.Event) { IsSaidOnce = true }, new("n", _ => "1"));
        Assert.Equal("app a, event e\nn\n1\n1\n", columns.Render([("a", "e"), ("a", "e")], 80));
        Assert.Equal("event e\napp  n\na    1\nb    1\n", columns.Render([("a", "e"), ("b", "e")], 80));
        Assert.Equal("app  event  n\na    e      1\na    e      1\n", columns.Render([("a", "e"), ("a", "e")], width: null));
    }

    [Fact]
    public void Letters_of_two_columns_and_accents_count_as_they_are_shown()
    {
        Columns<string> columns = new(new("name", text => text) { LeastWidth = 4 }, new("n", _ => "1"));
        Assert.Equal("name    n\n日本語  1\né       1\n".Replace("é", "e\u0301"), columns.Render(["日本語", "e\u0301"], 80));
        Assert.Equal("name   n\n日本…  1\n", columns.Render(["日本語日本語"], 8));
    }

    [Fact]
    public void A_measurement_fits()
    {
        Tools.Load.LoadResult result = new(
            123_456_789, 1_234_567, 123.4, 1234.5, 12_345.6, 123_456, 1_234_567, 12345,
            new Dictionary<string, long> { ["503"] = 12345, [Hostile] = 1 }, 60);
        AssertFits(BenchCommand.Result.Render([result], 80), 80);
    }

    internal static void AssertFits(string text, int width)
    {
        Assert.All(text.Split('\n'), line => Assert.True(Letters.Width(line) <= width, $"{Letters.Width(line)} columns: {line}"));
        Assert.DoesNotContain(text, letter => char.IsControl(letter) && letter != '\n');
        Assert.DoesNotContain('\u202e', text);
    }
}
