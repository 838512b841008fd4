using System.Text.Encodings.Web;
using System.Text.Json;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary>Jobs for machines: times in ns after the arrival, null for a stage that the job did not reach.</summary>
internal static class JobsAsJson
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the text is not put into HTML
    };

    public static void Write(IReadOnlyList<(JobRecords From, LedgerEntry Job)> jobs) => Console.WriteLine(JsonSerializer.Serialize(
        jobs.Select(pair => new Dictionary<string, object?>
        {
            ["app"] = pair.From.App,
            ["job"] = pair.Job.Id,
            ["task"] = pair.Job.Task,
            ["event"] = pair.Job.Event,
            ["arrived"] = pair.Job.Arrived,
            ["queued-ns"] = pair.Job.QueuedNs,
            ["dispatched-ns"] = pair.Job.DispatchedNs,
            ["first-byte-ns"] = pair.Job.FirstByteNs,
            ["ended-ns"] = pair.Job.EndedNs,
            ["slave"] = pair.Job.Slave,
            ["node"] = pair.Job.Node,
            ["runs"] = pair.Job.Runs,
            ["placed"] = pair.Job.IsPlaced,
            ["stood-ns"] = pair.Job.StoodNs,
            ["outcome"] = pair.From.EndedWithNode(pair.Job) ? "ended-with-node" : JobName(pair.Job.Outcome),
            ["category"] = pair.Job.Category,
            ["code"] = pair.Job.Code,
            ["error"] = pair.Job.Text,
        }),
        Indented));

    private static string JobName(JobOutcome outcome) => outcome.ToString().ToLowerInvariant();
}
