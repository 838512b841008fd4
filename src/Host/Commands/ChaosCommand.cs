using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Chaos;
using Cocaine.Fast.Tools.ClusterChaos;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast chaos MANIFEST</c></summary>
internal static class ChaosCommand
{
    private static readonly Argument<string> Manifest = new("manifest") { Description = "The app's manifest" };
    private static readonly Option<int?> Seed = new("--seed")
    {
        Description = "The number that all choices follow from; random without it",
    };

    private static readonly Option<double> Duration = Number("--duration", "Seconds of the run", 60);
    private static readonly Option<double> Rate = Number("--rate", "Actions a second", 2);
    private static readonly Option<int> Connections = Count("--connections", "Connections of the load", 8);
    private static readonly Option<int> InFlight = Count("--in-flight", "Requests in flight on each", 8);
    private static readonly Option<int> Requests = Count("--requests", "Requests a second in all; 0 = as many as are answered", 2000);
    private static readonly Option<string?> Event = new("--event")
    {
        Description = "The event to call; by default the first of the first native-server",
    };

    private static readonly Option<bool> AnyAnswer = new("--any-answer")
    {
        Description = "The event does not give its request back: count outcomes, do not compare answers",
    };

    private static readonly Option<string?> ExitEvent = new("--exit-event") { Description = "An event that ends its worker in an answer" };
    private static readonly Option<bool> NoNodeKills = new("--no-node-kills") { Description = "Leave the node itself alone" };
    private static readonly Option<bool> NoScribble = new("--no-scribble") { Description = "Leave the shared memory alone" };
    private static readonly Option<bool> Tls = new("--tls")
    {
        Description = "Give the task's door TLS with certificates of clients, and renew all certificates in the run",
    };

    private static readonly Option<bool> Cluster = new("--cluster")
    {
        Description = "Run three nodes of a cluster with their engine, a nats-server, and break nodes and engine",
    };

    private static readonly Option<string?> Log = new("--log") { Description = "File for the node's log" };
    private static readonly Option<string?> Samples = new("--samples")
    {
        Description = "File for memory, descriptors and threads over time (CSV)",
    };

    private static readonly Option<double> SampleEvery = Number("--sample-every", "Seconds between two looks at the node", 1);
    private static readonly Option<bool> Quiet = new("--quiet") { Description = "Only the result" };

    public static Command Create()
    {
        Command command = new(
            "chaos",
            "Run the app under load, break workers, clients and the node, and check that nothing is lost, stuck or answered twice.\n\n"
            + "Example:\n  cocaine-fast chaos examples/echo/manifest.json --seed 1 --duration 60")
        {
            Manifest, Seed, Duration, Rate, Connections, InFlight, Requests, Event, AnyAnswer, ExitEvent, NoNodeKills, NoScribble, Tls,
            Cluster, Log, Samples, SampleEvery, Quiet,
        };
        command.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        int seed = parsed.GetValue(Seed) ?? Random.Shared.Next(1_000_000);
        Console.WriteLine($"seed {seed}");
        ChaosOptions options = new()
        {
            ManifestPath = parsed.GetValue(Manifest)!,
            Program = OwnProgram(),
            Seed = seed,
            Duration = TimeSpan.FromSeconds(parsed.GetValue(Duration)),
            ActionsPerSecond = parsed.GetValue(Rate),
            Connections = parsed.GetValue(Connections),
            InFlight = parsed.GetValue(InFlight),
            RequestsPerSecond = parsed.GetValue(Requests),
            Event = parsed.GetValue(Event),
            Echoes = !parsed.GetValue(AnyAnswer),
            ExitEvent = parsed.GetValue(ExitEvent),
            KillsNode = !parsed.GetValue(NoNodeKills),
            Scribbles = !parsed.GetValue(NoScribble),
            UsesTls = parsed.GetValue(Tls),
            SampleEvery = TimeSpan.FromSeconds(parsed.GetValue(SampleEvery)),
            LogPath = parsed.GetValue(Log),
            Progress = parsed.GetValue(Quiet) ? TextWriter.Null : Console.Out,
        };
        ChaosResult result;
        try
        {
            if (parsed.GetValue(Cluster))
            {
                using ClusterChaosRun ofCluster = new(options);
                result = await ofCluster.RunAsync(cancellation);
            }
            else
            {
                using ChaosRun run = new(options);
                result = await run.RunAsync(cancellation);
            }
        }
        catch (Exception failure) when (failure is NodeException or IOException or UnauthorizedAccessException)
        {
            Complaint.Say(failure.Message);
            return failure is NodeException { InnerException: null } ? ExitCodes.Invalid : ExitCodes.Failed;
        }

        if (parsed.GetValue(Samples) is { } path)
        {
            await File.WriteAllLinesAsync(path, ["seconds,node,rss-bytes,descriptors,threads,workers", .. result.Samples.Select(Line)],
                CancellationToken.None);
        }

        Print(result);
        Console.WriteLine($"seed {seed}");
        return result.Faults.Count == 0 && result.Outcomes.ContainsKey("done") ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>The command line that starts this program again.</summary>
    private static string[] OwnProgram()
    {
        string path = Environment.ProcessPath ?? throw new NodeException("this program does not know where it is");
        bool isHost = Path.GetFileNameWithoutExtension(path) == "dotnet";
        return isHost ? [path, Path.Combine(AppContext.BaseDirectory, "cocaine-fast.dll")] : [path];
    }

    private static void Print(ChaosResult result)
    {
        Columns<ChaosActionCount> actions = new(
            new("action", action => action.Name),
            new("times", action => $"{action.Done}") { IsRight = true },
            new("skipped", action => $"{action.Skipped}") { IsRight = true },
            new("", action => action.Note) { LeastWidth = 10 });
        Columns<KeyValuePair<string, long>> outcomes = new(
            new("how requests ended", outcome => outcome.Key) { LeastWidth = 20 },
            new("times", outcome => $"{outcome.Value:N0}") { IsRight = true });
        actions.Write([.. result.Actions.OrderBy(action => action.Name, StringComparer.Ordinal)], Screen.Current);
        Console.WriteLine();
        outcomes.Write([.. result.Outcomes.OrderByDescending(pair => pair.Value)], Screen.Current);
        Console.WriteLine();
        (double p50, double p99, double max) = result.LatencyMs;
        Console.WriteLine($"answers: p50 {p50:F1} ms, p99 {p99:F1} ms, longest {max:F0} ms");
        Console.WriteLine($"node: {result.NodeStarts} starts, counters added up {result.CounterChecks} times, "
            + $"memory up to {result.Samples.Select(sample => sample.RssBytes).DefaultIfEmpty().Max() >> 20} MiB");
        foreach (string what in result.Unchecked)
        {
            Console.WriteLine($"NOT CHECKED {PlainText.Indented(what)}");
        }

        foreach (string fault in result.Faults)
        {
            Console.WriteLine($"FAULT {PlainText.Indented(fault)}");
        }

        if (result.LogPath is not null)
        {
            Console.WriteLine($"the node's log: {result.LogPath}");
        }

        Console.WriteLine(result.Faults.Count == 0 ? "nothing was lost, stuck or answered twice" : $"{result.Faults.Count} faults");
    }

    private static string Line(ChaosSample sample) => FormattableString.Invariant(
        $"{sample.Seconds:F1},{sample.Node},{sample.RssBytes},{sample.Descriptors},{sample.Threads},{sample.Workers}");

    private static Option<double> Number(string name, string description, double value)
    {
        Option<double> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Check(number => number is > 0 and < 1e6, $"{name} is more than 0");
        return option;
    }

    private static Option<int> Count(string name, string description, int value)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        int least = name == "--requests" ? 0 : 1;
        option.Check(number => number >= least && number <= 1_000_000, $"{name} is {least} or more");
        return option;
    }
}
