using System.CommandLine;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast call ENDPOINT EVENT</c></summary>
internal static class CallCommand
{
    /// <summary>Pieces in which a file becomes request chunks.</summary>
    private const int ChunkBytes = 64 << 10;

    public static Command Create()
    {
        Argument<string> endpoint = new("endpoint") { Description = "tcp://HOST:PORT or ipc:///path" };
        Argument<string> name = new("event") { Description = "The event to call" };
        Option<string?> data = new("--data") { Description = "The request as text" };
        Option<string?> file = new("--file") { Description = "The request from a file; - is standard input" };
        Option<double?> timeout = new("--timeout") { Description = "Longest silence of the slave, seconds" };
        Option<double?> deadline = new("--deadline") { Description = "Time until the answer is worthless, seconds" };
        Option<bool> urgent = new("--urgent") { Description = "Go before calls that are not urgent" };
        Command command = new(
            "call",
            "Call an event; the answer's chunks go to standard output as they come. Chunks are unchanged in a pipe "
            + "or a file; in a terminal control characters are escaped.\n\nExample:\n"
            + "  cocaine-fast call tcp://127.0.0.1:9100 echo --data hello")
        {
            endpoint, name, data, file, timeout, deadline, urgent,
        };
        command.SetAction((parsed, cancellation) =>
        {
            CallOptions options = new()
            {
                Timeout = Seconds(parsed.GetValue(timeout)),
                Deadline = Seconds(parsed.GetValue(deadline)),
                Urgent = parsed.GetValue(urgent),
            };
            return Guarded.RunAsync(() => RunAsync(
                parsed.GetValue(endpoint)!, parsed.GetValue(name)!, parsed.GetValue(data), parsed.GetValue(file), options, cancellation));
        });
        return command;
    }

    private static TimeSpan? Seconds(double? seconds) => seconds is { } given ? TimeSpan.FromSeconds(given) : null;

    private static async Task<int> RunAsync(
        string endpoint, string name, string? data, string? file, CallOptions options, CancellationToken cancellation)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint, cancellation: cancellation);
        await using ClientCall call = client.Open(name, options, cancellation);
        Task sending = SendAsync(call, data, file, cancellation);
        using Stream output = Screen.Current.IsTerminal ? new TerminalAnswer(Console.Out) : StandardStreams.OpenOutput();
        byte last = (byte)'\n';
        await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
        {
            await output.WriteAsync(chunk, cancellation);
            await output.FlushAsync(cancellation);
            last = chunk.IsEmpty ? last : chunk.Span[^1];
        }

        if (last != '\n' && Screen.Current.IsTerminal)
        {
            output.WriteByte((byte)'\n'); // otherwise the prompt would stand right after the answer
        }

        await sending;
        return ExitCodes.Ok;
    }

    private static async Task SendAsync(ClientCall call, string? data, string? file, CancellationToken cancellation)
    {
        if (data is not null)
        {
            await call.WriteAsync(Encoding.UTF8.GetBytes(data));
        }
        else if (file is not null)
        {
            using Stream input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
            byte[] buffer = new byte[ChunkBytes];
            int count;
            while ((count = await input.ReadAsync(buffer, cancellation)) > 0)
            {
                await call.WriteAsync(buffer.AsMemory(0, count));
            }
        }

        await call.CompleteAsync();
    }
}
