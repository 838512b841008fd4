using System.CommandLine;
using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary>The common parts of commands that control a node: its address, its answers, the exit codes of refusals.</summary>
internal static class ControlCommands
{
    /// <summary>The name of the option that selects the node.</summary>
    public const string NodeOption = "--node";

    /// <summary>The longest wait: a node answers in milliseconds, and in seconds on a machine that swaps.</summary>
    private static readonly TimeSpan FirstAnswerLimit = TimeSpan.FromSeconds(10);

    private static readonly JsonSerializerOptions Lines = new(ControlMessages.Json)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the text is not put into HTML
    };

    private static readonly JsonSerializerOptions Indented = new(Lines) { WriteIndented = true };

    /// <summary>The node that a command talks to.</summary>
    public static Option<string> Node() => NodeAddress.Option();

    /// <summary>The option for JSON output.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print JSON" };

    /// <summary>Prints that a command is done: <c>paused app=echo</c>, or <c>{"app": "echo", "paused": true}</c>.</summary>
    public static void PrintDone(bool json, string done, string app, string? id = null)
    {
        if (json)
        {
            Dictionary<string, object> answer = new() { ["app"] = app };
            if (id is not null)
            {
                answer["id"] = id;
            }

            answer[done] = true;
            PrintJson(answer);
        }
        else
        {
            Console.WriteLine(id is null ? $"{done} app={app}" : $"{done} app={app} id={id}");
        }
    }

    /// <summary>The app that a command is about.</summary>
    public static Argument<string> App() => new Argument<string>("app") { Description = "The app's name" }.CompletesApps();

    /// <summary>The app that a command is about, or all apps.</summary>
    public static Argument<string?> AppOrAll(string description) =>
        new Argument<string?>("app") { Description = description, Arity = ArgumentArity.ZeroOrOne }.CompletesApps();

    /// <summary>
    /// Gives a command its work, which gets the arguments, a connection and a token that Ctrl-C fires. <paramref name="limit"/> bounds the
    /// whole work when it is given; otherwise only the wait for the node's first answer is bounded.
    /// </summary>
    public static Command With(
        this Command command, Option<string> node, Func<ParseResult, NodeControlClient, CancellationToken, Task<int>> work,
        Func<ParseResult, TimeSpan>? limit = null)
    {
        command.Options.Add(node);
        TlsOptions.AddTo(command, node);
        command.SetAction((parsed, cancellation) => Guarded.RunAsync(async () =>
        {
            TimeSpan time = limit?.Invoke(parsed) ?? FirstAnswerLimit;
            using CancellationTokenSource limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limited.CancelAfter(time);
            try
            {
                await using NodeControlClient client = await NodeAddress.ConnectAsync(parsed, limited.Token);
                NodeVersion version = await client.VersionAsync(limited.Token).WaitAsync(limited.Token);
                NoteOtherVersion(command, parsed, version);
                if (limit is null)
                {
                    limited.CancelAfter(Timeout.InfiniteTimeSpan);
                }

                return await work(parsed, client, limited.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested && limited.IsCancellationRequested)
            {
                Complaint.Say(FormattableString.Invariant(
                    $"the node at {parsed.GetValue(node)} did not answer within {time.TotalSeconds:0.###} s: it is stopped or stuck"));
                return ExitCodes.NoConnection;
            }
            catch (CocaineException refusal) when (refusal.Code == ErrorCodes.BadRequest)
            {
                Complaint.Say(refusal.Message); // the mistakes of a manifest, a line for each, as `check` shows them
                return ExitCodes.Invalid;
            }
            catch (ConnectionLostException failure) when (parsed.GetValue(node)!.StartsWith("tls:", StringComparison.Ordinal))
            {
                Complaint.SayOfPeer($"the node at {parsed.GetValue(node)}: {failure.Message}");
                return ExitCodes.NoConnection;
            }
            catch (ConnectionLostException failure)
            {
                if (failure.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied })
                {
                    Complaint.Say($"{failure.Message}: only root and the user that the node runs as may control it");
                    return ExitCodes.NoConnection;
                }

                if (failure.InnerException is null)
                {
                    // The connection was made. A node that does not know the user reads nothing, and so has no call to answer.
                    Complaint.Say(
                        $"the listener at {parsed.GetValue(node)} closed the connection: {failure.Message}. Only root and the user that "
                        + "the node runs as may control it, whatever the mode of its socket; or it has stopped");
                    return ExitCodes.NoConnection;
                }

                Complaint.Say(
                    $"no node at {parsed.GetValue(node)}: {failure.Message}. Does 'cocaine-fast serve' or 'run' run? --node says where "
                    + "it listens");
                return ExitCodes.NoConnection;
            }
        }));
        return command;
    }

    /// <summary>After an upgrade the program and a node that still runs may be of different versions.</summary>
    private static void NoteOtherVersion(Command command, ParseResult parsed, NodeVersion node)
    {
        bool json = command.Options.OfType<Option<bool>>().FirstOrDefault(option => option.Name == "--json") is { } option
            && parsed.GetValue(option);
        if (!json && node != NodeVersion.Own)
        {
            string its = node.Version is { } version ? $"version {PlainText.OneLine(version)}" : "of an older version";
            Complaint.Say(
                $"note: the node is {its} (control protocol {node.Protocol}), this command {NodeVersion.Own.Version} "
                + $"({NodeVersion.Own.Protocol}): a restart of the node makes them one");
        }
    }

    /// <summary>Prints an object for machines, over several lines.</summary>
    public static void PrintJson<T>(T value) => Console.WriteLine(JsonSerializer.Serialize(value, Indented));

    /// <summary>Prints an object for machines as one line of a stream.</summary>
    public static void PrintLine<T>(T value) => Console.WriteLine(JsonSerializer.Serialize(value, Lines));

    /// <summary>Prints items until they end, nobody reads them any more, or the user interrupts, which is the usual end.</summary>
    public static async Task<int> FollowAsync<T>(IAsyncEnumerable<T> items, Action<T> print)
    {
        try
        {
            await foreach (T item in items)
            {
                print(item);
                if (StandardOutput.IsReaderGone)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // interrupted
        }

        return ExitCodes.Ok;
    }
}
