using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Harness;

/// <summary>Waits for an app to be as a test wants it.</summary>
internal static class AppWaits
{
    /// <summary>Asks for the app's info until it shows something; each question is answered by the loop, so this does not spin.</summary>
    public static async Task UntilInfoShowsAsync(this RunningApp app, string text)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (!(await app.InfoJsonAsync().WaitAsync(limit.Token)).Contains(text))
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Asks for the app's info until it is as wanted.</summary>
    public static async Task UntilAsync(this RunningApp app, Predicate<JsonElement> isSo)
    {
        long startedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            string text = await app.InfoJsonAsync().WaitAsync(TimeSpan.FromSeconds(60));
            using JsonDocument info = JsonDocument.Parse(text);
            if (isSo(info.RootElement))
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(startedAt).TotalSeconds < 60, $"not so within 60 s, but: {text}");
        }
    }
}
