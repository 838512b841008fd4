using System.CommandLine;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Tools.Load;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast bench ENDPOINT|APP EVENT</c></summary>
internal static class BenchCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The result as a line; failures are printed below it.</summary>
    internal static Columns<LoadResult> Result { get; } = new(
        new("requests/s", result => $"{result.RequestsPerSecond:N0}") { IsRight = true },
        new("p50", result => When.Span(result.P50 * 1e3)) { IsRight = true },
        new("p90", result => When.Span(result.P90 * 1e3)) { IsRight = true, Drop = 1 },
        new("p99", result => When.Span(result.P99 * 1e3)) { IsRight = true },
        new("p99.9", result => When.Span(result.P999 * 1e3)) { IsRight = true, Drop = 2 },
        new("max", result => When.Span(result.Max * 1e3)) { IsRight = true },
        new("requests", result => $"{result.Requests:N0}") { IsRight = true, Drop = 3 },
        new("mismatches", result => $"{result.Mismatches}") { IsRight = true },
        new("errors", Errors) { LeastWidth = 8 });

    public static Command Create()
    {
        Argument<string> name = new("event") { Description = "An event that gives its request back" };
        Option<int> connections = new("--connections") { Description = "Connections", DefaultValueFactory = _ => 32 };
        Option<int> inFlight = new("--in-flight") { Description = "Requests in flight on each", DefaultValueFactory = _ => 8 };
        Option<int> size = new("--size") { Description = "Payload of a request, bytes", DefaultValueFactory = _ => 64 };
        Option<double> duration = new("--duration") { Description = "Seconds", DefaultValueFactory = _ => 5 };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        foreach (Option<int> option in (Option<int>[])[connections, inFlight, size])
        {
            option.Check(number => number >= 1, $"{option.Name} is 1 or more");
        }

        Command command = new(
            "bench",
            "Put load on an event that echoes, and check every answer.\n\nExample:\n"
            + "  cocaine-fast bench tcp://127.0.0.1:9100 echo --connections 32 --in-flight 8")
        {
            name, connections, inFlight, size, duration, json,
        };
        AppDestination app = AppDestination.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded.RunAsync(async () =>
        {
            ClientOptions connecting = app.Options(parsed);
            string endpoint = await app.FindAsync(parsed, connecting, cancellation);
            return await RunAsync(
                new LoadOptions(
                    endpoint, parsed.GetValue(name)!, parsed.GetValue(connections), parsed.GetValue(inFlight), parsed.GetValue(size),
                    TimeSpan.FromSeconds(parsed.GetValue(duration)))
                {
                    Connecting = connecting,
                },
                parsed.GetValue(json), cancellation);
        }));
        return command;
    }

    private static async Task<int> RunAsync(LoadOptions options, bool json, CancellationToken cancellation)
    {
        LoadResult result = await LoadRunner.RunAsync(options, cancellation);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(result, Json));
        }
        else
        {
            Print(options, result);
        }

        if (result.Mismatches > 0)
        {
            Complaint.Say(
                $"{result.Mismatches} answers are not their requests: bench needs an event that echoes, and "
                + $"{PlainText.OneLine(options.Event)} does not, or not always");
        }

        return result.Mismatches == 0 && result.Errors.Count == 0 && result.Requests > 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static string Errors(LoadResult result) => result.Errors.Count == 0 ? "0"
        : string.Join(", ", result.Errors.Select(pair => $"{pair.Key}: {pair.Value}"));

    private static void Print(LoadOptions options, LoadResult result)
    {
        Console.WriteLine(
            $"{options.Connections} connections × {options.InFlight} in flight, {options.SizeBytes} B, {result.Seconds:F1} s");
        Console.Out.Write(Result.Render([result], Screen.Current.Columns));
    }
}
