using System.CommandLine;
using System.Text.Json;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Tools.WorkerCheck;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast worker-check -- COMMAND...</c></summary>
internal static class WorkerCheckCommand
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    public static Command Create()
    {
        Argument<string[]> words = new("command")
        {
            Description = "The worker's command line; the node's words go where {} stands, or to the end",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Option<string[]> env = new("--env") { Description = "A variable for the worker, NAME=VALUE" };
        Option<string[]> cases = new("--case") { Description = "Only this case; may be given again" };
        Option<string?> pipe = new("--pipe") { Description = "Only on this pipe: socket or shared-memory" };
        pipe.AcceptOnlyFromAmong("socket", "shared-memory");
        Option<double> patience = new("--patience") { Description = "Seconds for an answer", DefaultValueFactory = _ => 10 };
        Option<double> silence = new("--longest-silence")
        {
            Description = "Seconds between two heartbeats",
            DefaultValueFactory = _ => 8,
        };
        Command command = new(
            "worker-check",
            "Check a worker of any language against docs/worker-protocol.md; it must run the contract app of that page.\n\nExample:\n"
            + "  cocaine-fast worker-check -- /usr/bin/python3 workers/python/cocaine-worker.py {} tests/contract/python/contract.py")
        {
            words, json, env, cases, pipe, patience, silence,
        };
        command.SetAction((parsed, _) => Task.FromResult(Run(
            new WorkerCheckOptions
            {
                Command = parsed.GetValue(words)!,
                Environment = Variables(parsed.GetValue(env) ?? []),
                Cases = parsed.GetValue(cases) ?? [],
                Pipes = parsed.GetValue(pipe) switch
                {
                    "socket" => [WorkerChecker.Socket],
                    "shared-memory" => [WorkerChecker.SharedMemory],
                    _ => [],
                },
                Patience = TimeSpan.FromSeconds(parsed.GetValue(patience)),
                LongestSilence = TimeSpan.FromSeconds(parsed.GetValue(silence)),
            },
            parsed.GetValue(json))));
        return command;
    }

    private static int Run(WorkerCheckOptions options, bool json)
    {
        if (options.Cases.FirstOrDefault(name => !WorkerChecker.CaseNames.Contains(name)) is { } unknown)
        {
            Complaint.Say($"there is no case \"{unknown}\"; there are: {string.Join(", ", WorkerChecker.CaseNames)}");
            return ExitCodes.Invalid;
        }

        if (!json)
        {
            string what = Screen.Current.IsTerminal ? "what went wrong" : "problem (section of docs/worker-protocol.md)";
            Console.WriteLine($"{"pipe",-14} {"case",-31} {"result",-7} {what}");
        }

        IReadOnlyList<CheckRow> rows = WorkerChecker.Run(options, json ? null : Print);
        int failed = rows.Count(row => row.Outcome == CheckOutcome.Failed);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                rows.Select(row => new { row.Pipe, row.Case, Result = Word(row.Outcome), row.Problem, row.Section }), Indented));
        }
        else
        {
            Console.WriteLine($"{rows.Count(row => row.Outcome == CheckOutcome.Passed)} passed, {failed} failed, "
                + $"{rows.Count(row => row.Outcome == CheckOutcome.Skipped)} skipped");
        }

        return failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void Print(CheckRow row) => Console.WriteLine(Line(row, Screen.Current.Columns));

    /// <summary>A case and its result; in a terminal the problem is below it when it does not fit.</summary>
    internal static string Line(CheckRow row, int? width)
    {
        string problem = PlainText.OneLine(row.Outcome == CheckOutcome.Failed ? $"{row.Problem} ({row.Section})" : row.Problem);
        string first = $"{row.Pipe,-14} {row.Case,-31} {Word(row.Outcome),-7} ";
        return width is not { } room || Letters.Width(first) + Letters.Width(problem) <= room ? (first + problem).TrimEnd()
            : $"{first.TrimEnd()}\n{Letters.Wrapped("    ", problem, width, "    ")}";
    }

    private static string Word(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => "ok",
        CheckOutcome.Failed => "FAILED",
        _ => "skipped",
    };

    private static Dictionary<string, string> Variables(string[] given)
    {
        Dictionary<string, string> variables = [];
        foreach (string one in given)
        {
            int equals = one.IndexOf('=', StringComparison.Ordinal);
            variables[equals > 0 ? one[..equals] : one] = equals > 0 ? one[(equals + 1)..] : "";
        }

        return variables;
    }
}
