using System.CommandLine;
using System.CommandLine.Completions;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>The names of a node's apps, for a shell that completes one.</summary>
internal static class AppNames
{
    /// <summary>Longest wait for the node: who presses TAB does not wait longer, and gets no names.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    /// <summary>Offers the names of the node's apps for an argument.</summary>
    public static Argument<T> CompletesApps<T>(this Argument<T> argument)
    {
        argument.HelpName = argument.Name; // or the help would show what may be there, and ask the node for it
        argument.CompletionSources.Add(context => Read(context.ParseResult).Select(name => new CompletionItem(name)));
        return argument;
    }

    private static IReadOnlyList<string> Read(ParseResult parsed)
    {
        try
        {
            return Of(parsed.GetRequiredValue<string>(Control.ControlCall.NodeOption), Patience);
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException)
        {
            return []; // the option has no value yet, as it is being written; or nobody completes, but the help is shown
        }
    }

    /// <summary>The names of a node's apps; none when it does not say them in time.</summary>
    internal static IReadOnlyList<string> Of(string node, TimeSpan patience)
    {
        using CancellationTokenSource limit = new(patience);
        try
        {
            Task<IReadOnlyList<string>> read = Task.Run(() => ReadAsync(node, limit.Token));
            return read.Wait(patience) ? read.Result : [];
        }
        catch (AggregateException)
        {
            return []; // no node, another user's, or something else: there is nothing to offer, and no place to say why
        }
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(string node, CancellationToken cancellation)
    {
        await using NodeControlClient client = await NodeControlClient.ConnectAsync(node, cancellation);
        return [.. (await client.ListAsync(cancellation)).Select(app => app.App)];
    }
}
