using System.Globalization;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Metrics;

/// <summary>The series of a page, by name and labels.</summary>
internal sealed class Readings
{
    private readonly Dictionary<string, double> _values = [];
    private readonly HashSet<string> _counters = [];

    public double this[string series] => _values[series];

    /// <summary>The series that never fall.</summary>
    public IEnumerable<KeyValuePair<string, double>> Counters => _values.Where(pair => _counters.Contains(pair.Key.Split('{')[0]));

    public static async Task<Readings> OfAsync(NodeControlClient client) => Of(await client.MetricsAsync());

    /// <summary>Reads a text; histograms count as counters.</summary>
    public static Readings Of(string text)
    {
        Readings readings = new();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            if (words[0] != "#")
            {
                readings._values.Add(line[..line.LastIndexOf(' ')], double.Parse(words[^1], CultureInfo.InvariantCulture));
            }
            else if (words[1] == "TYPE" && words[3] == "counter")
            {
                readings._counters.Add(words[2]);
            }
            else if (words[1] == "TYPE" && words[3] == "histogram")
            {
                readings._counters.UnionWith([$"{words[2]}_bucket", $"{words[2]}_sum", $"{words[2]}_count"]);
            }
        }

        return readings;
    }

    public IEnumerable<KeyValuePair<string, double>> Series(string name) => _values.Where(pair => pair.Key.StartsWith($"{name}{{", StringComparison.Ordinal));

    public double Sum(string name) => Series(name).Sum(pair => pair.Value);
}
