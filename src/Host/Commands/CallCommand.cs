using System.CommandLine;
using System.Diagnostics;
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

    /// <summary>The rest of a deadline that passed while the client connected.</summary>
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromMilliseconds(1);

    public static Command Create()
    {
        Argument<string> name = new("event") { Description = "The event to call" };
        Option<string?> data = new("--data") { Description = "The request as text" };
        Option<string?> file = new("--file") { Description = "The request from a file; - is standard input" };
        Option<TimeSpan?> timeout = SecondsOption.Create("--timeout", "Longest silence of the slave, seconds");
        Option<TimeSpan?> deadline = SecondsOption.Create("--deadline", "Time until the answer is worthless, connecting included, seconds");
        Option<bool> urgent = new("--urgent") { Description = "Go before calls that are not urgent" };
        Command command = new(
            "call",
            "Call an event; the answer's chunks go to standard output as they come. Chunks are unchanged in a pipe "
            + "or a file; in a terminal control characters are escaped.\n\nExample:\n"
            + "  cocaine-fast call tcp://127.0.0.1:9100 echo --data hello\n"
            + "  cocaine-fast call hello echo --data hello")
        {
            name, data, file, timeout, deadline, urgent,
        };
        AppDestination to = AppDestination.AddTo(command);
        SealOptions seal = SealOptions.AddTo(command);
        command.Check(result => result.GetValue(data) is not null && result.GetValue(file) is not null
            ? "--data and --file are both the request: give one of them" : null);
        command.SetAction((parsed, cancellation) =>
        {
            CallOptions options = new()
            {
                Timeout = parsed.GetValue(timeout),
                Deadline = parsed.GetValue(deadline),
                Urgent = parsed.GetValue(urgent),
            };
            return Guarded.RunAsync(() => RunAsync(
                (connecting, stop) => to.ConnectAsync(parsed, connecting, stop), to.Options(parsed) with { Seal = seal.Of(parsed) },
                parsed.GetValue(name)!, parsed.GetValue(data), parsed.GetValue(file), options, cancellation));
        });
        return command;
    }

    private static async Task<int> RunAsync(
        Func<ClientOptions, CancellationToken, Task<CocaineClient>> connect, ClientOptions connecting, string name, string? data,
        string? file, CallOptions options, CancellationToken cancellation)
    {
        using Stream request = OpenRequest(data, file);
        if (options.Deadline < connecting.ConnectTimeout)
        {
            connecting = connecting with { ConnectTimeout = options.Deadline.Value };
        }

        long began = Stopwatch.GetTimestamp();
        await using CocaineClient client = await connect(connecting, cancellation);
        if (options.Deadline is { } deadline)
        {
            TimeSpan left = deadline - Stopwatch.GetElapsedTime(began);
            options = options with { Deadline = left > LeastDeadline ? left : LeastDeadline };
        }

        using CancellationTokenSource unsent = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using ClientCall call = client.Open(name, options, unsent.Token);
        Task sending = SendAsync(call, request, unsent);
        try
        {
            await PrintAsync(call, cancellation);
        }
        catch (OperationCanceledException) when (sending.IsFaulted)
        {
            // the request could not be read: its error says more
        }

        await sending;
        return ExitCodes.Ok;
    }

    private static async Task PrintAsync(ClientCall call, CancellationToken cancellation)
    {
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
    }

    /// <summary>Opens the request before there is a call: a mistake in its name is told at once.</summary>
    private static Stream OpenRequest(string? data, string? file)
    {
        if (file is null)
        {
            return new MemoryStream(Encoding.UTF8.GetBytes(data ?? ""));
        }

        return file == "-" ? StandardStreams.OpenInput()
            : Directory.Exists(file) ? throw new FormatException($"{file} is a folder: --file takes a file")
            : File.OpenRead(file);
    }

    /// <summary>Sends the request. When it cannot be read, the call is given up: its answer would never end.</summary>
    private static async Task SendAsync(ClientCall call, Stream request, CancellationTokenSource unsent)
    {
        try
        {
            byte[] buffer = new byte[ChunkBytes];
            int count;
            while ((count = await request.ReadAsync(buffer, unsent.Token)) > 0)
            {
                await call.WriteAsync(buffer.AsMemory(0, count));
            }

            await call.CompleteAsync();
        }
        catch
        {
            await unsent.CancelAsync();
            throw;
        }
    }
}
