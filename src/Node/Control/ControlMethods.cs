using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control.Messages;
using Cocaine.Fast.Node.Journal;
using Cocaine.Fast.Node.Metrics;
using Cocaine.Fast.Node.Quarantine;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// The methods of the service <c>node</c>. Commands that change state finish even if the client disconnects; queries stop.
/// </summary>
internal sealed class ControlMethods(CocaineNode node, IControlHost host, ILogger log)
{
    private static readonly TimeSpan MaxDrain = TimeSpan.FromDays(1);

    private readonly ClusterMethods _cluster = new(host, log);

    /// <summary>The names of all methods.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "create", "replace", "restart", "delete", "pause", "resume", "info", "list", "logs", "events", "scale", "quarantine", "cluster",
        "rollout", "publish", "code", "metrics", "stats", "version",
    ];

    /// <summary>The text for a client that calls an unknown method; a newer client may know more.</summary>
    public static string NoMethod(string name) =>
        $"no method '{JsonPath.Shown(name)}' in control protocol {ControlMessages.Protocol}, which this node speaks; "
        + $"there are {string.Join(", ", Names)}{ProblemList.Nearest(name, Names)}";

    /// <summary>Runs a method, and gives its call exactly one end.</summary>
    public async Task RunAsync(ControlCall call, ReadOnlyMemory<byte> request)
    {
        try
        {
            await DispatchAsync(call, request);
            call.Close();
        }
        catch (ManifestException mistakes)
        {
            call.Fail(ErrorCodes.BadRequest, mistakes.Message);
        }
        catch (NodeException refused)
        {
            call.Fail(refused.Code, refused.Message);
        }
        catch (OperationCanceledException) when (call.Gone.IsCancellationRequested)
        {
            call.Close(); // the client is gone
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            ControlLog.Fault(log, fault, call.Method); // unexpected: the node continues and reports it
            call.Fail(ErrorCodes.ServerError, fault is IOException or UnauthorizedAccessException ? $"{call.Method} failed: {fault.Message}"
                : $"{call.Method} failed in a way that nobody expected: the node's log has the cause");
        }
    }

    private Task DispatchAsync(ControlCall call, ReadOnlyMemory<byte> request)
    {
        T Read<T>() => ControlRequest.Read<T>(call.Method, request);
        return call.Method switch
        {
            "create" => CreateAsync(call, Read<ManifestRequest>()),
            "replace" => ReplaceAsync(call, Read<ManifestRequest>()),
            "restart" => RestartAsync(call, Read<AppRequest>()),
            "delete" => DeleteAsync(call, Read<DeleteRequest>()),
            "pause" => DoneAsync(call, Read<AppRequest>().App, app => host.PauseAsync(app, CancellationToken.None)),
            "resume" => DoneAsync(call, Read<AppRequest>().App, app => host.ResumeAsync(app, CancellationToken.None)),
            "info" => InfoAsync(call, Read<InfoRequest>()),
            "list" => ListAsync(call, Read<ListRequest>()),
            "logs" => LogsAsync(call, Read<LogsRequest>()),
            "events" => EventsAsync(call, Read<EventsRequest>()),
            "cluster" => ClusterAsync(call, Read<ClusterRequest>()),
            "rollout" => RolloutAsync(call, Read<RolloutRequest>()),
            "publish" => PublishAsync(call, Read<PublishRequest>()),
            "scale" => ScaleAsync(call, Read<ScaleRequest>()),
            "code" => CodeAsync(call, Read<CodeRequest>()),
            "metrics" => MetricsAsync(call, Read<EmptyRequest>()),
            "stats" => StatsAsync(call, Read<StatsRequest>()),
            "version" => VersionAsync(call, Read<EmptyRequest>()),
            _ => QuarantineAsync(call, Read<QuarantineRequest>()),
        };
    }

    private static Task AnswerAsync<T>(ControlCall call, T answer) =>
        call.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer, ControlMessages.Json));

    private async Task CreateAsync(ControlCall call, ManifestRequest request)
    {
        Require(call, request);
        bool isLocal = request.Local || host.ClusterApps is null;
        await CreatedAsync(
            call, isLocal ? null : await host.ClusterApps!.CreateAsync(await _cluster.TextOfAsync(request)),
            isLocal ? await host.CreateAsync(await _cluster.TextOfAsync(request), CancellationToken.None) : null, request.Wait);
    }

    private async Task PublishAsync(ControlCall call, PublishRequest request)
    {
        call.Require(request.App);
        IClusterApps cluster = host.ClusterApps ?? throw new NodeException("the node is in no cluster") { Code = ErrorCodes.BadRequest };
        await CreatedAsync(call, await cluster.PublishAsync(request.App, request.Force), null, waits: false);
    }

    /// <summary>Answers with an app that was created, for the cluster or for this node.</summary>
    private async Task CreatedAsync(ControlCall call, CreatedInCluster? created, RunningApp? own, bool waits)
    {
        if (created is not null && node.Find(created.Name) is null)
        {
            ControlLog.Asked(log, call.Method, created.Name);
            string state = created.IsElsewhere ? "elsewhere" : "failed";
            AppSummary none = new(created.Name, created.Version, state, 0, 0, 0, 0, 0, [], created.Reason);
            await AnswerAsync(call, none with { RunOn = created.RunOn });
            return;
        }

        RunningApp app = own ?? Get(created!.Name);
        ControlLog.Asked(log, call.Method, app.Name);
        string? problem = waits ? await ReadyWait.OfAsync(app, call.Gone) : null;
        AppSummary summary = await app.SummaryAsync();
        await AnswerAsync(call, summary with { Reason = summary.Reason ?? problem, RunOn = created?.RunOn });
    }

    private async Task ReplaceAsync(ControlCall call, ManifestRequest request)
    {
        Require(call, request);
        ReplaceOutcome outcome = await host.ReplaceAsync(await _cluster.TextOfAsync(request), request.Force, CancellationToken.None);
        ControlLog.Asked(log, call.Method, outcome.App);
        await AnswerAsync(call, new ReplaceAnswer(
            outcome.App, outcome.FromVersion, outcome.ToVersion, outcome.Replaced, outcome.Reason, outcome.IsRollout));
    }

    private async Task RestartAsync(ControlCall call, AppRequest request)
    {
        call.Require(request.App);
        ReplaceOutcome outcome = await host.RestartAsync(request.App, CancellationToken.None);
        ControlLog.Asked(log, call.Method, outcome.App);
        await AnswerAsync(call, new RestartAnswer(outcome.App, outcome.ToVersion, outcome.Replaced, outcome.Reason, outcome.Note));
    }

    private Task DeleteAsync(ControlCall call, DeleteRequest request)
    {
        if (!(request.DrainTimeout >= 0 && request.DrainTimeout <= MaxDrain.TotalSeconds))
        {
            throw new NodeException($"a drain-timeout is 0 to {MaxDrain.TotalSeconds} s") { Code = ErrorCodes.BadRequest };
        }

        TimeSpan drain = TimeSpan.FromSeconds(request.DrainTimeout);
        return DoneAsync(call, request.App, app => host.DeleteAsync(app, drain, CancellationToken.None));
    }

    private async Task DoneAsync(ControlCall call, string app, Func<string, Task> work)
    {
        call.Require(app);
        await work(app);
        ControlLog.Asked(log, call.Method, app);
        await AnswerAsync(call, new DoneAnswer(app));
    }

    private Task ScaleAsync(ControlCall call, ScaleRequest request) =>
        DoneAsync(call, request.App, app => node.ScaleAsync(app, request.Minimum, request.Limit));

    private async Task InfoAsync(ControlCall call, InfoRequest request)
    {
        call.Require(request.App);
        if (request.Cluster == true)
        {
            await AppsAsync(call, request.App);
            return;
        }

        string info = request.App is { } name
            ? await Get(name).InfoJsonAsync() : NodeInfo.Text(node);
        await call.WriteAsync(Encoding.UTF8.GetBytes(info));
    }

    private static Task VersionAsync(ControlCall call, EmptyRequest request)
    {
        _ = request; // the request has no keys, which was checked
        return AnswerAsync(call, NodeVersion.Own);
    }

    private async Task ListAsync(ControlCall call, ListRequest request)
    {
        call.Require(app: null);
        if (request.Cluster == true)
        {
            await AppsAsync(call, app: null);
            return;
        }

        AppSummary[] running = await Task.WhenAll(node.Apps.Select(app => app.SummaryAsync()));
        await AnswerAsync(call, running.Concat(host.Failed).Where(app => call.Rights.MayList("list", app.App))
            .OrderBy(app => app.App, StringComparer.Ordinal).ToArray());
    }

    private async Task AppsAsync(ControlCall call, string? app) => await AnswerAsync(
        call, (await _cluster.AppsAsync(app)).Where(one => call.Rights.MayList(call.Method, one.App)).ToArray());

    private async Task ClusterAsync(ControlCall call, ClusterRequest request)
    {
        call.Require(app: null);
        await AnswerAsync(call, await _cluster.ClusterAsync(request));
    }

    private async Task RolloutAsync(ControlCall call, RolloutRequest request)
    {
        call.Require(request.App);
        await AnswerAsync(call, await _cluster.RolloutAsync(request));
    }

    private async Task MetricsAsync(ControlCall call, EmptyRequest request)
    {
        _ = request; // the request has no keys, which was checked
        call.Require(app: null);
        await call.WriteAsync(MetricsPage.Text(
            await StatsHistory.Of(node).Sampler.SampleAsync(), host.Failed, app => call.Rights.MayList("metrics", app)));
    }

    private async Task StatsAsync(ControlCall call, StatsRequest request)
    {
        call.Require(app: null);
        await AnswerAsync(
            call, await StatsHistory.Of(node).AskAsync(request.Since, host.Failed, app => call.Rights.MayList("stats", app)));
    }

    private async Task LogsAsync(ControlCall call, LogsRequest request)
    {
        call.Require(request.App);
        await foreach (LogLine line in node.Logs(request.App, request.Follow, call.Gone))
        {
            call.RequireStill(request.App);
            await AnswerAsync(call, line);
        }
    }

    private async Task EventsAsync(ControlCall call, EventsRequest request)
    {
        call.Require(request.App);
        if (request.App is { } app && !node.HasEvents(app))
        {
            Get(app); // neither running nor remembered
        }

        await foreach (NodeEvent one in node.Events(request.App, request.Follow, call.Gone))
        {
            call.RequireStill(request.App);
            if (call.Rights.MayList("events", one.App))
            {
                await AnswerAsync(call, one);
            }
        }
    }

    private async Task CodeAsync(ControlCall call, CodeRequest request)
    {
        call.Require(app: null);
        await AnswerAsync(call, await _cluster.CodeAsync(request));
    }

    private async Task QuarantineAsync(ControlCall call, QuarantineRequest request)
    {
        call.Require(request.App);
        IQuarantineControl quarantine = node.Quarantine;
        if (request.Action == "list")
        {
            await AnswerAsync(call, quarantine.List(request.App).Where(job => call.Rights.MayList("quarantine", job.App)).ToArray());
            return;
        }

        if (request.App is not { } app || request.Id is not { } id)
        {
            throw new NodeException($"quarantine {request.Action} needs 'app' and 'id'") { Code = ErrorCodes.BadRequest };
        }

        NodeException Missing() => new($"app {app} has no job {id} in quarantine") { Code = ErrorCodes.NotFound };
        switch (request.Action)
        {
            case "show":
                await call.WriteAsync(Encoding.UTF8.GetBytes(quarantine.Show(app, id) ?? throw Missing()));
                break;
            case "replay":
                bool replayed = await quarantine.ReplayAsync(app, id, CancellationToken.None);
                await AnswerAsync(call, replayed ? new DoneAnswer(app) : throw Missing());
                break;
            case "drop":
                await AnswerAsync(call, quarantine.Drop(app, id) ? new DoneAnswer(app) : throw Missing());
                break;
            default:
                throw new NodeException("quarantine has the actions list, show, replay and drop") { Code = ErrorCodes.BadRequest };
        }
    }

    /// <summary>Refuses to run the code of a manifest for a caller that may not change the manifest's app.</summary>
    /// <exception cref="ManifestException">The manifest has mistakes.</exception>
    /// <exception cref="NodeException">The caller may not do this (401 or 403).</exception>
    private static void Require(ControlCall call, ManifestRequest request)
    {
        if (!call.Rights.IsRecorded)
        {
            return;
        }

        string? name = null;
        if (call.Rights.MayUse(call.Method))
        {
            ManifestResult read = ManifestReader.Read(Encoding.UTF8.GetBytes(request.Manifest), request.Path);
            name = read.Manifest?.Name ?? (call.Rights.IsOn ? throw new ManifestException(read.Problems) : null);
        }

        call.Require(name);
    }

    private RunningApp Get(string name)
    {
        if (node.Find(name) is { } running)
        {
            return running;
        }

        string? reason = host.Failed.FirstOrDefault(app => app.App == name)?.Reason;
        throw reason is null ? node.NoApp(name)
            : new NodeException($"app {name} could not be started: {reason}") { Code = ErrorCodes.NotFound };
    }
}
