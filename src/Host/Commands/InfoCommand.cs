using System.CommandLine;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Commands.Control;
using MessagePack;
using Spectre.Console;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast info ENDPOINT</c></summary>
internal static class InfoCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create()
    {
        Argument<string> endpoint = new("endpoint") { Description = "tcp://HOST:PORT or ipc:///path of an app" };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Command command = new("info", "Show what an app is doing.\n\nExample:\n  cocaine-fast info tcp://127.0.0.1:9100")
        {
            endpoint, json,
        };
        command.SetAction((parsed, cancellation) =>
            Guarded.RunAsync(() => RunAsync(parsed.GetValue(endpoint)!, parsed.GetValue(json), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(string endpoint, bool json, CancellationToken cancellation)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, cancellation: cancellation);
        Print(MessagePackSerializer.ConvertToJson(await client.InfoAsync(cancellation), cancellationToken: cancellation), json);
        return ExitCodes.Ok;
    }

    /// <summary>Prints a JSON object: as it is, or as a table of its members.</summary>
    public static void Print(string text, bool json)
    {
        using JsonDocument info = JsonDocument.Parse(text);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(info.RootElement, Indented));
            return;
        }

        Table table = new Table().Border(TableBorder.Minimal).AddColumn("what").AddColumn("value");
        Fill(table, "", info.RootElement);
        ControlCall.Print(table);
    }

    private static void Fill(Table table, string path, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    Fill(table, path.Length == 0 ? property.Name : $"{path}.{property.Name}", property.Value);
                }

                break;
            case JsonValueKind.Array when value.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.Object):
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Fill(table, $"{path}[{index++}]", item);
                }

                break;
            case JsonValueKind.Array:
                table.AddRow(Markup.Escape(path), Markup.Escape(string.Join(", ", value.EnumerateArray())));
                break;
            default:
                table.AddRow(Markup.Escape(path), Markup.Escape(value.ToString()));
                break;
        }
    }
}
