using System.Globalization;
using Cocaine.Fast.Node.Metrics;

namespace Cocaine.Fast.Host.Commands.Top;

/// <summary>
/// Makes pictures of the node's answers: the order of the apps, the filter, the chosen app, and the rates of the last seconds.
/// </summary>
internal sealed class TopView
{
    /// <summary>Rates are over this time, so that they can be read.</summary>
    private const double WindowS = 10;

    /// <summary>The last rates of an app.</summary>
    private const int TrendLength = 8;

    private readonly Dictionary<string, List<double>> _trends = [];
    private readonly Queue<(int Id, double At)> _answers = new(); // of the last seconds
    private StatsAnswer? _last;
    private IReadOnlyList<TopRow> _rows = [];

    /// <summary>The orders, which a key goes through.</summary>
    public static IReadOnlyList<string> Sorts { get; } = ["rate", "name", "wait", "errors", "p99", "cpu", "memory"];

    public string Sort { get; set; } = Sorts[0];

    public string Filter { get; set; } = "";

    /// <summary>The name of the chosen app; null = none.</summary>
    public string? Chosen { get; set; }

    /// <summary>The answer since which counts are asked for: the oldest one in the window.</summary>
    public int Since => _answers.TryPeek(out (int Id, double At) oldest) ? oldest.Id : 0;

    /// <summary>Takes the next answer.</summary>
    public void Add(StatsAnswer answer)
    {
        _last = answer;
        if (_answers.Count == 0 || _answers.Last().Id != answer.Id)
        {
            _answers.Enqueue((answer.Id, answer.Node.UptimeS));
        }

        while (_answers.Count > 1 && answer.Node.UptimeS - _answers.Peek().At > WindowS)
        {
            _answers.Dequeue();
        }

        _rows = [.. answer.Apps.Select(app => new TopRow(app, answer.OverS, TrendOf(app, answer.OverS)))];
        foreach (string gone in _trends.Keys.Except(answer.Apps.Select(app => app.App)).ToArray())
        {
            _trends.Remove(gone);
        }
    }

    /// <summary>The picture of now.</summary>
    public TopPicture Picture(DateTimeOffset now, TimeSpan every)
    {
        TopRow[] shown = [.. Sorted(_rows.Where(row => row.App.App.Contains(Filter, StringComparison.OrdinalIgnoreCase)))];
        return new TopPicture(_last!, _rows)
        {
            Shown = shown,
            Chosen = Array.FindIndex(shown, row => row.App.App == Chosen),
            Time = now.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
            Every = $"{every.TotalSeconds.ToString("0.##", CultureInfo.InvariantCulture)}s",
            Sort = Sort,
            Filter = Filter,
        };
    }

    /// <summary>Chooses the next app, or the one before.</summary>
    public void Move(int by)
    {
        TopPicture picture = Picture(DateTimeOffset.Now, TimeSpan.Zero);
        if (picture.Shown.Count > 0)
        {
            Chosen = picture.Shown[Math.Clamp(picture.Chosen + by, 0, picture.Shown.Count - 1)].App.App;
        }
    }

    /// <summary>Goes to the next order.</summary>
    public void NextSort() => Sort = Sorts[(Sorts.ToList().IndexOf(Sort) + 1) % Sorts.Count];

    private IEnumerable<TopRow> Sorted(IEnumerable<TopRow> rows)
    {
        IEnumerable<TopRow> byName = rows.OrderBy(row => row.App.App, StringComparer.Ordinal);
        return Sort switch
        {
            "name" => byName,
            "wait" => byName.OrderByDescending(row => row.App.Queued),
            "errors" => byName.OrderByDescending(row => row.Errors ?? 0),
            "p99" => byName.OrderByDescending(row => row.App.P99S ?? 0),
            "cpu" => byName.OrderByDescending(row => row.Cpu ?? 0),
            "memory" => byName.OrderByDescending(row => row.App.RssBytes),
            _ => byName.OrderByDescending(row => row.IsIll).ThenByDescending(row => row.Rate ?? 0),
        };
    }

    private List<double> TrendOf(AppStats app, double? overS)
    {
        if (!_trends.TryGetValue(app.App, out List<double>? rates))
        {
            _trends.Add(app.App, rates = []);
        }

        if (overS > 0)
        {
            rates.Add((app.Done + app.Failed) / overS.Value);
            if (rates.Count > TrendLength)
            {
                rates.RemoveAt(0);
            }
        }

        return [.. rates];
    }
}
