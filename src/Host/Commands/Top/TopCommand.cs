using System.CommandLine;
using System.Text;
using System.Threading.Channels;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Metrics;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Host.Commands.Top;

/// <summary><c>cocaine-fast top</c></summary>
internal static class TopCommand
{
    private const string Enter = "\e[?1049h\e[?25l", Leave = "\e[?25h\e[?1049l", Home = "\e[H", ToLineEnd = "\e[K", ToEnd = "\e[J";
    private const string Inverse = "\e[7m", Usual = "\e[0m";

    /// <summary>Keys that wait for their turn: a paste into the terminal is no reason to act on all of it.</summary>
    private const int MostKeys = 16;

    private sealed record Wishes(TimeSpan Every, int Times, bool Json, string Sort);

    public static Command Create()
    {
        Option<double> every = new("-d") { Description = "Seconds between two pictures, 0.2 to 3600", DefaultValueFactory = _ => 1 };
        every.Check(seconds => seconds is >= 0.2 and <= 3600, "-d is seconds, 0.2 to 3600");
        Option<int> times = new("-n") { Description = "End after so many pictures; 0 = never" };
        times.Check(count => count >= 0, "-n is a number of pictures");
        Option<bool> batch = new("-b") { Description = "Print picture after picture, without keys; in a pipe this is always so" };
        Option<string> sort = new("--sort") { Description = "The order of the apps", DefaultValueFactory = _ => TopView.Sorts[0] };
        sort.AcceptOnlyFromAmong([.. TopView.Sorts]);
        Option<bool> json = ControlCommands.Json();
        Command command = new("top", "Show the apps of a node as they work: rates, times, queues, slaves, problems; ? shows the keys.")
        {
            every, times, batch, sort, json,
        };
        return command.Example("cocaine-fast top --sort wait").With(ControlCommands.Node(), async (parsed, node, stop) =>
        {
            Wishes wishes = new(
                TimeSpan.FromSeconds(parsed.GetValue(every)), parsed.GetValue(times), parsed.GetValue(json), parsed.GetValue(sort)!);
            bool isLive = !wishes.Json && !parsed.GetValue(batch) && Screen.Current.IsTerminal && !Console.IsInputRedirected;
            try
            {
                await (isLive ? LiveAsync(node, wishes, stop) : PrintAsync(node, wishes, stop));
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // interrupted, which is the usual end
            }

            return ExitCodes.Ok;
        });
    }

    private static async Task PrintAsync(NodeControlClient node, Wishes wishes, CancellationToken stop)
    {
        TopView view = new() { Sort = wishes.Sort };
        int last = 0;
        for (int i = 0; (wishes.Times == 0 || i < wishes.Times) && !StandardOutput.IsReaderGone; i++)
        {
            if (i > 0)
            {
                await Task.Delay(wishes.Every, stop);
            }

            StatsAnswer answer = await node.StatsAsync(wishes.Json ? last : view.Since, stop);
            last = answer.Id;
            if (wishes.Json)
            {
                ControlCommands.PrintLine(answer);
                continue;
            }

            view.Add(answer);
            TopPicture picture = view.Picture(DateTimeOffset.Now, wishes.Every);
            Console.Write((i > 0 ? "\n" : "") + string.Concat(
                TopScreen.Lines(picture, Screen.Current.Columns ?? int.MaxValue, int.MaxValue).Select(line => $"{line}\n")));
        }
    }

    private static async Task LiveAsync(NodeControlClient node, Wishes wishes, CancellationToken stop)
    {
        TopView view = new() { Sort = wishes.Sort };
        TopKeys keys = new(view, node);
        Channel<ConsoleKeyInfo> pressed = Keys();
        Console.Write(Enter);
        try
        {
            for (int i = 0; (wishes.Times == 0 || i < wishes.Times) && !keys.Quits; i++)
            {
                view.Add(await node.StatsAsync(view.Since, stop));
                await keys.RefreshAsync(stop);
                Draw(view, keys, wishes);
                using CancellationTokenSource tick = CancellationTokenSource.CreateLinkedTokenSource(stop);
                tick.CancelAfter(wishes.Every);
                try
                {
                    while (!keys.Quits)
                    {
                        await keys.OnAsync(await pressed.Reader.ReadAsync(tick.Token), stop);
                        Draw(view, keys, wishes);
                    }
                }
                catch (OperationCanceledException) when (!stop.IsCancellationRequested)
                {
                    // time for the next picture
                }
            }
        }
        finally
        {
            Console.Write(Leave);
        }
    }

    private static Channel<ConsoleKeyInfo> Keys()
    {
        Channel<ConsoleKeyInfo> pressed = Channel.CreateBounded<ConsoleKeyInfo>(MostKeys);
        Thread reader = new(() =>
        {
            try
            {
                while (true)
                {
                    pressed.Writer.TryWrite(Console.ReadKey(intercept: true));
                }
            }
            catch (Exception lost) when (lost is InvalidOperationException or IOException)
            {
                // the terminal is gone, and so is the user; pictures go on until their end
            }
        })
        { Name = "keys", IsBackground = true };
        reader.Start();
        return pressed;
    }

    private static void Draw(TopView view, TopKeys keys, Wishes wishes)
    {
        TopPicture picture = view.Picture(DateTimeOffset.Now, wishes.Every) with
        {
            HasKeys = true,
            Said = keys.Said,
            Question = keys.Question,
            Panel = keys.Panel,
        };
        StringBuilder text = new(Home);
        IReadOnlyList<string> lines = TopScreen.Lines(picture, Screen.Current.Columns ?? 80, HeightOfTerminal());
        for (int i = 0; i < lines.Count; i++)
        {
            string line = lines[i].StartsWith(TopPicture.Mark, StringComparison.Ordinal)
                ? $"{Inverse}{lines[i][TopPicture.Mark.Length..]}{Usual}" : lines[i];
            text.Append(line).Append(ToLineEnd).Append(i < lines.Count - 1 ? "\r\n" : "");
        }

        Console.Write(text.Append(ToEnd).ToString());
    }

    private static int HeightOfTerminal()
    {
        try
        {
            return Math.Max(8, Console.WindowHeight);
        }
        catch (Exception failure) when (failure is IOException or PlatformNotSupportedException)
        {
            return 24;
        }
    }
}
