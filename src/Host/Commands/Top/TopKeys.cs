using System.Globalization;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Top;

/// <summary>The actions of the keys of <c>top</c>. A key that changes something asks first.</summary>
/// <param name="view">The apps on the screen.</param>
/// <param name="node">The node.</param>
internal sealed class TopKeys(TopView view, NodeControlClient node)
{
    /// <summary>The lines of a panel: a part of a terminal of 24 lines.</summary>
    private const int PanelLines = 8;

    private static readonly string[] Help =
    [
        "up, down  choose an app     Enter  its slaves and their jobs     Esc  nothing chosen",
        "s  order of the apps        /  apps with a text in their names   q  quit",
        "l  last lines of its workers    e  last events",
        "p  pause or resume    + -  limit of slaves    r  restart: each asks first",
    ];

    private char _panel;                       // the key of the panel; 0 = none
    private string? _typed;                    // the filter that is being typed; null otherwise
    private Func<CancellationToken, Task<string>>? _asked; // the change that waits for a yes; null otherwise

    /// <summary>The user wants to leave.</summary>
    public bool Quits { get; private set; }

    public string Said { get; private set; } = "";

    public string? Question { get; private set; }

    public IReadOnlyList<string> Panel { get; private set; } = [];

    public async Task OnAsync(ConsoleKeyInfo key, CancellationToken stop)
    {
        Said = "";
        if (_typed is not null)
        {
            Type(key);
        }
        else if (_asked is { } change)
        {
            (_asked, Question) = (null, null);
            Said = key.KeyChar is 'y' or 'Y' ? await TryAsync(change, stop) : "nothing was changed";
        }
        else
        {
            Do(key);
        }

        await RefreshAsync(stop);
    }

    /// <summary>Reads the panel anew.</summary>
    public async Task RefreshAsync(CancellationToken stop)
    {
        Panel = _panel == '?' ? Help : _panel == 0 || view.Chosen is not { } app ? []
            : [.. (await PanelAsync(app, stop)).TakeLast(PanelLines)];
    }

    private void Do(ConsoleKeyInfo key)
    {
        switch (key)
        {
            case { Key: ConsoleKey.UpArrow }:
                view.Move(-1);
                break;
            case { Key: ConsoleKey.DownArrow }:
                view.Move(1);
                break;
            case { Key: ConsoleKey.Escape }:
                (_panel, view.Chosen, view.Filter) = ('\0', null, "");
                break;
            case { Key: ConsoleKey.Enter }:
                _panel = 'i';
                break;
            case { KeyChar: 'l' or 'e' or '?' }:
                _panel = key.KeyChar == _panel ? '\0' : key.KeyChar;
                break;
            case { KeyChar: 's' }:
                view.NextSort();
                break;
            case { KeyChar: '/' }:
                (_typed, Question) = ("", "apps with: ");
                break;
            case { KeyChar: 'q' }:
                Quits = true;
                break;
            case { KeyChar: 'p' or 'r' or '+' or '-' } when view.Chosen is { } app:
                Ask(key.KeyChar, app);
                break;
        }
    }

    private void Type(ConsoleKeyInfo key)
    {
        if (key.Key is ConsoleKey.Enter or ConsoleKey.Escape)
        {
            view.Filter = key.Key == ConsoleKey.Enter ? _typed! : "";
            (_typed, Question) = (null, null);
            return;
        }

        _typed = key.Key == ConsoleKey.Backspace ? _typed![..Math.Max(0, _typed!.Length - 1)]
            : char.IsControl(key.KeyChar) ? _typed : _typed + key.KeyChar;
        Question = $"apps with: {_typed}";
    }

    private void Ask(char key, string app)
    {
        TopRow? row = view.Picture(DateTimeOffset.Now, TimeSpan.Zero).All.FirstOrDefault(one => one.App.App == app);
        if (row is null)
        {
            return;
        }

        int limit = Math.Max(1, row.App.Limit + (key == '+' ? 1 : -1));
        bool isPaused = row.App.State == "paused";
        (string what, _asked) = key switch
        {
            'p' when isPaused => ("resume", Changing(stop => node.ResumeAsync(app, stop), "resumed")),
            'p' => ("pause", Changing(stop => node.PauseAsync(app, stop), "paused")),
            'r' => ("restart", RestartAsync),
            _ => ($"scale to a limit of {limit} slaves", Changing(stop => node.ScaleAsync(app, null, limit, stop), $"limit {limit}")),
        };
        Question = $"{what} {app}? y = yes";

        Func<CancellationToken, Task<string>> Changing(Func<CancellationToken, Task> change, string done) => async stop =>
        {
            await change(stop);
            return $"{app}: {done}";
        };

        async Task<string> RestartAsync(CancellationToken stop)
        {
            ReplaceOutcome outcome = await node.RestartAsync(app, stop);
            return outcome.Replaced ? $"{app}: restarted" : $"{app} was not restarted: {outcome.Reason}";
        }
    }

    private static async Task<string> TryAsync(Func<CancellationToken, Task<string>> change, CancellationToken stop)
    {
        try
        {
            return await change(stop);
        }
        catch (CocaineException refusal)
        {
            return refusal.Message;
        }
    }

    private async Task<IReadOnlyList<string>> PanelAsync(string app, CancellationToken stop)
    {
        try
        {
            return _panel switch
            {
                'l' => await LastAsync(node.LogsAsync(app, false, stop), line => At(line.Time, line.Text)),
                'e' => await LastAsync(node.EventsAsync(app, false, stop), one => At(one.Time, one.Text)),
                _ => SlavesOf(app, await node.InfoJsonAsync(app, stop)),
            };
        }
        catch (CocaineException refusal)
        {
            return [refusal.Message];
        }
    }

    private static string At(DateTimeOffset time, string text) =>
        $"{time.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {text}";

    private static async Task<IReadOnlyList<string>> LastAsync<T>(IAsyncEnumerable<T> items, Func<T, string> lineOf)
    {
        Queue<string> last = new();
        await foreach (T item in items)
        {
            last.Enqueue(lineOf(item));
            if (last.Count > PanelLines)
            {
                last.Dequeue();
            }
        }

        return [.. last];
    }

    private static IReadOnlyList<string> SlavesOf(string app, string info)
    {
        using JsonDocument document = JsonDocument.Parse(info);
        JsonElement slaves = document.RootElement.GetProperty("pool").GetProperty("slaves");
        return slaves.GetArrayLength() == 0 ? [$"{app} has no slaves"] : [.. slaves.EnumerateArray().Select(slave =>
        {
            string jobs = string.Join(", ", slave.GetProperty("jobs").EnumerateArray().Select(
                job => $"{job.GetProperty("event").GetString()}#{job.GetProperty("id")} {AgeOf(job)}"));
            return $"{slave.GetProperty("id").GetString()} {slave.GetProperty("state").GetString()} pid {slave.GetProperty("pid")}  "
                + $"age {AgeOf(slave)}  done {slave.GetProperty("jobs-done")}  {jobs}";
        })];
    }

    private static string AgeOf(JsonElement one) => TopRow.Time(one.GetProperty("age-ms").GetDouble() / 1000);
}
