using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Reload;

/// <summary>
/// Keeps a running app in step with its manifest file. Each change of the file replaces the app, whatever its version, because the person
/// who edits the file wants the change. A file that is no manifest is logged with all its mistakes, and the app goes on.
/// </summary>
/// <remarks>
/// The file is read twice a second and not watched by inotify: reading a few hundred bytes costs nothing, and editors that rename, links
/// that are swapped and file systems without events all work in the same way. A change counts when two looks have seen the same text: then
/// nobody is writing the file.
/// </remarks>
public sealed class ManifestWatch
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>One byte more than the largest manifest, to notice that a file is larger.</summary>
    private const int MaxBytes = JsonText.MaxFileBytes + 1;

    private readonly CocaineNode _node;
    private readonly string _app;
    private readonly string _path;
    private readonly ILogger _log;

    /// <param name="node">Runs the app.</param>
    /// <param name="app">The app's manifest from the start.</param>
    /// <param name="log">Gets mistakes and outcomes.</param>
    public ManifestWatch(CocaineNode node, AppManifest app, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        _node = node;
        _app = app.Name;
        _path = app.FilePath ?? throw new ArgumentException("the manifest was read from no file", nameof(app));
        _log = log;
    }

    /// <summary>Watches until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        byte[]? acted = Read();
        byte[]? before = acted;
        using PeriodicTimer timer = new(Pause, NodeClock.Instance);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                byte[]? now = Read();
                bool settled = now is not null && before is not null && now.AsSpan().SequenceEqual(before);
                before = now;
                if (settled && (acted is null || !now.AsSpan().SequenceEqual(acted)))
                {
                    acted = now;
                    await ActAsync(now!, cancellation);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the node stops
        }
    }

    private byte[]? Read()
    {
        try
        {
            using FileStream file = new(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] bytes = new byte[Math.Min(file.Length + 1, MaxBytes)];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return bytes[..length];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null; // an editor is between two renames, or somebody has deleted the file: there is no text to use
        }
    }

    private async Task ActAsync(byte[] text, CancellationToken cancellation)
    {
        ManifestResult result = ManifestReader.Read(text, _path, checkFiles: true);
        foreach (ManifestProblem problem in result.Problems)
        {
            WatchLog.Mistake(_log, _app, problem.ToString());
        }

        if (result.Manifest is not { } next)
        {
            WatchLog.NoManifest(_log, _app, _path);
            return;
        }

        if (next.Name != _app)
        {
            WatchLog.OtherName(_log, _app, _path, next.Name);
            return;
        }

        try
        {
            ReplaceOutcome outcome = await _node.ReplaceAsync(next, force: true, cancellation);
            if (outcome.Replaced && outcome.ToVersion <= outcome.FromVersion)
            {
                WatchLog.SameVersion(_log, _app, outcome.ToVersion);
            }
        }
        catch (NodeException failure)
        {
            WatchLog.NotReplaced(_log, _app, failure.Message);
        }
    }
}

internal static partial class WatchLog
{
    [LoggerMessage(540, LogLevel.Error, "{App}: {Problem}")]
    public static partial void Mistake(ILogger log, string app, string problem);

    [LoggerMessage(541, LogLevel.Error, "{App}: {Path} has changed and is no manifest now: the app goes on as it is")]
    public static partial void NoManifest(ILogger log, string app, string path);

    [LoggerMessage(542, LogLevel.Error,
        "{App}: {Path} names an app {Other} now: the app goes on as it is. A name cannot change; run the other app beside it")]
    public static partial void OtherName(ILogger log, string app, string path, string other);

    [LoggerMessage(543, LogLevel.Warning,
        "{App}: replaced because the file has changed, though its version is {Version} again; a daemon would not do that: raise 'version'")]
    public static partial void SameVersion(ILogger log, string app, int version);

    [LoggerMessage(544, LogLevel.Error, "{App}: the file has changed, but the app is not replaced: {Reason}")]
    public static partial void NotReplaced(ILogger log, string app, string reason);
}
