using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Watch;
using Cocaine.Fast.Transport.Linux;
using Spectre.Console;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast watch ENDPOINT</c></summary>
internal static class WatchCommand
{
    private static readonly JsonSerializerOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        Argument<string> endpoint = new("endpoint") { Description = "tcp://HOST:PORT of an app's pubsub socket" };
        Option<string> topic = new("--topic")
        {
            Description = "Only fields with this beginning: an app, app:task, or 'app:task field'",
            DefaultValueFactory = _ => "",
        };
        Option<bool> json = new("--json") { Description = "Print one JSON object in each line: time, source, field, host, value" };
        Command command = new(
            "watch",
            "Show the published fields of an app, until interrupted.\n\n"
            + "Example:\n  cocaine-fast watch tcp://127.0.0.1:9200 --topic app:task")
        {
            endpoint, topic, json,
        };
        command.SetAction((parsed, cancellation) => Guarded.RunAsync(
            () => RunAsync(parsed.GetValue(endpoint)!, parsed.GetValue(topic)!, parsed.GetValue(json), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(string endpoint, string topic, bool json, CancellationToken cancellation)
    {
        FieldLines lines = new();
        try
        {
            await foreach (PublishedField field in FieldWatcher.WatchAsync(endpoint, topic, cancellation))
            {
                if (json)
                {
                    var line = new { time = field.Time, source = field.Source, field = field.Name, host = field.Host, value = field.Text };
                    Console.WriteLine(JsonSerializer.Serialize(line, Lines));
                }
                else
                {
                    lines.Write(field);
                }

                if (StandardOutput.IsReaderGone)
                {
                    break; // watch … | head
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the usual end
        }
        catch (NodeException failure)
        {
            Complaint.Say(failure.Message);
            return ExitCodes.NoConnection;
        }

        return ExitCodes.Ok;
    }

    /// <summary>Lines for people: columns grow with the texts so far, and have colours in a terminal.</summary>
    private sealed class FieldLines
    {
        /// <summary>A name longer than this pushes only its own line out of the column, and not the lines after it.</summary>
        private const int MaxWidth = 40;

        private int _source = 12;
        private int _name = 14;

        public void Write(PublishedField field)
        {
            string source = PlainText.OneLine(field.Source), name = PlainText.OneLine(field.Name), text = PlainText.OneLine(field.Text);
            _source = Math.Max(_source, Math.Min(source.Length, MaxWidth));
            _name = Math.Max(_name, Math.Min(name.Length, MaxWidth));
            (source, name) = (source.PadRight(_source), name.PadRight(_name));
            string time = When.Moment(field.Time, Screen.Current);
            if (!Screen.Current.HasColours)
            {
                Console.WriteLine($"{time}  {source}  {name}  {text}");
                return;
            }

            string colour = field.Name == "error" ? "red" : "default";
            AnsiConsole.MarkupLine(
                $"[grey]{time}[/]  [blue]{Markup.Escape(source)}[/]  [green]{Markup.Escape(name)}[/]  [{colour}]{Markup.Escape(text)}[/]");
        }
    }
}
