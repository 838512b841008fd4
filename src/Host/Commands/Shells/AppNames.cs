using System.CommandLine;
using System.CommandLine.Completions;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>The names of a node's apps, for completion in a shell.</summary>
internal static class AppNames
{
    /// <summary>Longest wait for the node: a user who presses TAB does not wait longer, and gets no names.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Offers the names of the node's apps for an argument.</summary>
    public static Argument<T> CompletesApps<T>(this Argument<T> argument)
    {
        argument.HelpName = argument.Name; // otherwise the help would show possible names, and ask the node for them
        argument.CompletionSources.Add(context => Of(end => NodeAddress.ConnectAsync(context.ParseResult, end), Patience)
            .Select(name => new CompletionItem(name)));
        return argument;
    }

    /// <summary>The names of a node's apps; none when the node does not answer in time.</summary>
    internal static IReadOnlyList<string> Of(Func<CancellationToken, Task<NodeControlClient>> connect, TimeSpan patience)
    {
        using CancellationTokenSource limit = new(patience);
        CancellationToken end = limit.Token;
        try
        {
            Task<IReadOnlyList<string>> read = Task.Run(() => ReadAsync(connect, end));
            return read.Wait(patience) ? read.Result : [];
        }
        catch (AggregateException)
        {
            // There is no node, or several, or another user's, or another program; or the option is still being typed and has no value yet.
            // There is no name to offer, and no place to report the reason.
            return [];
        }
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(
        Func<CancellationToken, Task<NodeControlClient>> connect, CancellationToken cancellation)
    {
        await using NodeControlClient client = await connect(cancellation);
        return [.. (await client.ListAsync(cancellation)).Select(app => app.App)];
    }
}
