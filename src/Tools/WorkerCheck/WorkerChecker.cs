using System.Diagnostics;
using Cocaine.Fast.Backends.Processes;

namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>
/// Checks a binding: plays the node towards a real worker process and tries every rule of docs/worker-protocol.md. The worker runs the
/// contract app of that page.
/// </summary>
public static class WorkerChecker
{
    /// <summary>The pipe that every worker has.</summary>
    public const string Socket = "socket";

    /// <summary>The pipe that a worker may ask for.</summary>
    public const string SharedMemory = "shared memory";

    /// <summary>The names of all cases, in the order of the table.</summary>
    public static IReadOnlyList<string> CaseNames { get; } =
        [AlwaysCases.Handshake, .. CheckCases.All.Select(one => one.Name), AlwaysCases.Arity, AlwaysCases.Terminals];

    /// <summary>Runs the checks; calls <paramref name="onRow"/> with each row as soon as its check is done.</summary>
    public static IReadOnlyList<CheckRow> Run(WorkerCheckOptions options, Action<CheckRow>? onRow = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        using ProcessLauncher launcher = new();
        List<CheckRow> rows = [];
        foreach (string pipe in options.Pipes.Count > 0 ? options.Pipes : [Socket, SharedMemory])
        {
            using PipeCheck check = new(pipe, new WorkerStart(launcher, options), options, row =>
            {
                rows.Add(row);
                onRow?.Invoke(row);
            });
            check.Run();
        }

        return rows;
    }

    /// <summary>Runs all cases on one pipe. One worker serves as many of them as it can; after a failure a new worker is started.</summary>
    private sealed class PipeCheck(string pipe, WorkerStart start, WorkerCheckOptions options, Action<CheckRow> report) : IDisposable
    {
        private readonly bool _wantPipe = pipe == SharedMemory;
        private readonly List<(string Case, string Problem)> _violations = [];
        private Conversation? _conversation;
        private bool _asks;

        public void Run()
        {
            string? problem = TryStart(out bool usable);
            if (!usable && problem is null)
            {
                Report(AlwaysCases.Handshake, AlwaysCases.Start, CheckOutcome.Skipped,
                    "the worker does not ask for the shared-memory pipe");
                return;
            }

            Report(AlwaysCases.Handshake, AlwaysCases.Start, problem is null ? CheckOutcome.Passed : CheckOutcome.Failed, problem ?? "");
            foreach (CheckCase one in CheckCases.All.Where(one => options.Cases.Count == 0 || options.Cases.Contains(one.Name)))
            {
                if (problem is not null)
                {
                    Report(one.Name, one.Section, CheckOutcome.Skipped, "there is no handshake");
                }
                else if (one.RefusesPipe && (!_asks || !_wantPipe))
                {
                    Report(one.Name, one.Section, CheckOutcome.Skipped, "only where the worker asks for the pipe");
                }
                else
                {
                    RunCase(one);
                }
            }

            EndWorker();
            Always(AlwaysCases.Arity, problem);
            Always(AlwaysCases.Terminals, problem);
        }

        public void Dispose() => _conversation?.Dispose();

        private void RunCase(CheckCase one)
        {
            string? problem = null;
            try
            {
                if (one.RefusesPipe)
                {
                    EndWorker();
                    _conversation = start.Start(wantPipe: true, refuse: true).Conversation;
                }

                _conversation ??= start.Start(_wantPipe, refuse: false).Conversation;
                Try(one, _conversation ?? throw new CheckFailure("this time the worker did not ask for the pipe"));
            }
            catch (CheckFailure failure)
            {
                problem = failure.Message;
            }

            if (problem is not null || one.EndsWorker)
            {
                EndWorker();
            }

            Report(one.Name, one.Section, problem is null ? CheckOutcome.Passed : CheckOutcome.Failed, problem ?? "");
        }

        private static void Try(CheckCase one, Conversation conversation)
        {
            double least = double.MaxValue;
            for (int tries = 0; tries < CheckCase.InstantTries && least > CheckCase.InstantMs; tries++)
            {
                long start = Stopwatch.GetTimestamp();
                one.Run(conversation);
                least = one.IsInstant ? Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMilliseconds) : 0;
            }

            if (least > CheckCase.InstantMs)
            {
                throw new CheckFailure($"it took {least:0} ms in the fastest of {CheckCase.InstantTries} tries, and nothing in it takes "
                    + $"time: {CheckCase.InstantMs} ms are enough. Does the worker wait although a message stands in its buffer?");
            }
        }

        private string? TryStart(out bool usable)
        {
            usable = false;
            try
            {
                StartedWorker started = start.Start(_wantPipe, refuse: false);
                _conversation = started.Conversation;
                _asks = started.AskedForPipe;
                usable = _conversation is not null;
                return null;
            }
            catch (CheckFailure failure)
            {
                return failure.Message;
            }
        }

        private void EndWorker()
        {
            if (_conversation is not null)
            {
                _violations.AddRange(_conversation.Violations);
                _conversation.Dispose();
                _conversation = null;
            }
        }

        private void Always(string rule, string? problem)
        {
            string[] broken = [.. _violations.Where(one => one.Case == rule).Select(one => one.Problem).Distinct()];
            if (problem is not null)
            {
                Report(rule, AlwaysCases.Messages, CheckOutcome.Skipped, "there is no handshake");
            }
            else
            {
                Report(rule, AlwaysCases.Messages, broken.Length == 0 ? CheckOutcome.Passed : CheckOutcome.Failed,
                    broken.Length > 1 ? $"{broken[0]}, and {broken.Length - 1} more" : broken.FirstOrDefault(""));
            }
        }

        private void Report(string name, string section, CheckOutcome outcome, string problem) =>
            report(new CheckRow(pipe, name, outcome, problem, section));
    }
}
