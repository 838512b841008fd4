using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Views;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Commands.Why;

/// <summary>One job, with a line for each stage.</summary>
internal static class JobTimeline
{
    private const string Indent = "      ";

    public static void Write(JobRecords from, LedgerEntry job)
    {
        string total = job.EndedNs is { } ended ? $" after {When.Span(ended)}" : "";
        Console.WriteLine($"job {job.Id} of {from.App}: {JobWords.Outcome(from, job)}{total}");
        string name = PlainText.OneLine(job.Event), task = PlainText.OneLine(job.Task);
        Line("arrived", JobWords.Clock(job.Arrived), $"event {name}, task {task}");
        if (job.QueuedNs is { } queued)
        {
            bool again = job.Runs > 1 || job.DispatchedNs < queued;
            Line("queued", "+" + When.Span(queued), again ? "again, its slave was gone" : "no slave had room");
        }

        if (job.IsPlaced)
        {
            Line("placed", "", $"{JobWords.PlacedOn(job)}: it has not begun it");
        }
        else if (job is { StoodNs: { } stood, DispatchedNs: { } began })
        {
            Line(
                "placed", "+" + When.Span(Math.Max(0, began - stood)),
                $"in the ring of slave {job.Slave}, {When.Span(stood)} ahead of its turn");
        }

        if (job.DispatchedNs is { } dispatched)
        {
            string waited = job.QueuedNs is { } began ? $"{When.Span(Math.Max(0, dispatched - began))} in the queue" : "at once";
            string run = job.Runs > 1 ? $", run {job.Runs}" : "";
            string runner = job.Node is { } node ? $"node {PlainText.OneLine(node)}" : $"slave {job.Slave}";
            Line(job.Node is null ? "dispatched" : "forwarded", "+" + When.Span(dispatched), $"to {runner}, {waited}{run}");
        }

        if (job.FirstByteNs is { } first)
        {
            Line("first byte", "+" + When.Span(first), $"{When.Span(first - (job.DispatchedNs ?? first))} after its dispatch");
        }

        if (job.EndedNs is { } end)
        {
            Line(JobWords.Outcome(from, job), "+" + When.Span(end), JobWords.Error(job));
        }
        else if (from.EndedWithNode(job))
        {
            Line("lost", "", "the node ended before the job did: its caller's connection broke");
        }
    }

    private static void Line(string stage, string when, string what) =>
        Console.WriteLine(Letters.Wrapped($"  {stage,-10}  {when,-26}  ", what, Screen.Current.Columns, Indent).TrimEnd());
}
