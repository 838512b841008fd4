using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using MessagePack;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast info ENDPOINT</c></summary>
internal static class InfoCommand
{
    /// <summary>How long the command counts jobs to tell the rate; people do not notice the time.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create()
    {
        Option<bool> all = All();
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Command command = new("info", "Show the state of an app.\n\nExample:\n  cocaine-fast info tcp://127.0.0.1:9100")
        {
            all, json,
        };
        AppDestination to = AppDestination.AddTo(command);
        command.SetAction((parsed, cancellation) => Guarded.RunAsync(async () =>
        {
            await using CocaineClient client = await to.ConnectAsync(parsed, to.Options(parsed), cancellation);
            try
            {
                return await ShowAsync(
                    async () => MessagePackSerializer.ConvertToJson(await client.InfoAsync(cancellation), cancellationToken: cancellation),
                    parsed.GetValue(all), parsed.GetValue(json), cancellation);
            }
            catch (Exception mistake) when (mistake is MessagePackSerializationException or JsonException)
            {
                Complaint.Say($"the answer of {to.Shown(parsed)} is no info of an app");
                return ExitCodes.Failed;
            }
        }));
        return command;
    }

    /// <summary>The option to show every value instead of a page.</summary>
    public static Option<bool> All() => new("--all") { Description = "Show every value by its name, as --json names it" };

    /// <summary>Shows the node's answer: as JSON, as a list of all values, or as a page when it is about an app.</summary>
    public static async Task<int> ShowAsync(Func<Task<string>> ask, bool all, bool json, CancellationToken cancellation)
    {
        string text = await ask();
        using JsonDocument info = JsonDocument.Parse(text);
        if (json || all || !new JsonFacts(info.RootElement)["app"].Exists)
        {
            Print(text, json);
            return ExitCodes.Ok;
        }

        long began = Stopwatch.GetTimestamp();
        await Task.Delay(Look, cancellation);
        using JsonDocument later = JsonDocument.Parse(await ask());
        JsonFacts now = new(later.RootElement);
        long done = now["jobs", "done"].Count - new JsonFacts(info.RootElement)["jobs", "done"].Count;
        double rate = Math.Max(0, done) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        Console.Out.Write(new InfoPage(now, rate, Screen.Current).Render());
        return ExitCodes.Ok;
    }

    /// <summary>Prints a JSON object unchanged, or as a list of its values.</summary>
    public static void Print(string text, bool json)
    {
        using JsonDocument info = JsonDocument.Parse(text);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(info.RootElement, Indented));
            return;
        }

        Console.Out.Write(Facts.Render(info.RootElement, Screen.Current.Columns));
    }
}
