using System.Collections.Concurrent;
using Cocaine.Fast.Tools.WorkerCheck;

namespace Cocaine.Fast.Tools.Tests.WorkerCheck;

/// <summary>A check that passes everything proves nothing: a worker that is wrong in one way must be caught by the case for it.</summary>
public class WrongWorkerTests
{
    /// <summary>The fault of tests/contract/wrong/wrong.py, the row that must fail, and the case that is run when it is not the row's own.</summary>
    private static readonly string[][] Faults =
    [
        ["does not start", "handshake", "empty request"],
        ["no handshake", "handshake", "empty request"],
        ["garbage for a handshake", "handshake", "empty request"],
        ["wrong uuid", "handshake", "empty request"],
        ["no heartbeat at all", "handshake", "empty request"],
        ["answers an empty request with text", "empty request"],
        ["dies of an empty request", "message of 0 B"],
        ["text only", "message of 64 B"],
        ["at most 64 KiB", "message of 1 MiB"],
        ["at most 16 MiB", "message of 64 MiB"],
        ["chunks of any size", "answer over 64 MiB"],
        ["first chunk only", "chunked request"],
        ["joins chunks", "chunked answer"],
        ["never closes", "chunked answer"],
        ["sleeps with messages in its buffer", "request whole in one write"],
        ["collects before it relays", "streams both ways"],
        ["serves one call only", "interleaved channels"],
        ["narrow numbers", "channel numbers of every width"],
        ["drops what is cut", "messages in pieces"],
        ["wrong code", "exception"],
        ["no text in the error", "exception"],
        ["dies of an exception", "exception"],
        ["close instead of an error", "exception"],
        ["loses chunks before an error", "error after chunks"],
        ["close after chunks instead of an error", "error after chunks"],
        ["own errors in our category", "error of the app's own"],
        ["close for an unknown event", "unknown event"],
        ["own code for an unknown event", "unknown event"],
        ["never sees a cancel", "cancel"],
        ["hides the caller's error", "cancel with the caller's error"],
        ["no terminal after a cancel", "cancel"],
        ["takes a cancel for the end", "cancel"],
        ["dies of a late cancel", "cancel after the request's end"],
        ["forgets literal headers", "headers"],
        ["does not know its name", "app name, uuid, task, version"],
        ["swallows output", "output captured"],
        ["prints into the protocol", "output captured"],
        ["knows no hold", "flow-answer"],
        ["knows no hold", "flow-request"],
        ["ends when it is slow", "slow handler"],
        ["silent while it waits", "heartbeats"],
        ["one heartbeat only", "heartbeats"],
        ["ignores terminate", "terminate"],
        ["exits with 3", "terminate"],
        ["drops its jobs at a terminate", "terminate with a running job"],
        ["lives on without its node", "disown"],
        ["three arguments in a chunk", "exact arity", "exception"],
        ["close with an argument", "exact arity", "exception"],
        ["error without a reason", "exact arity", "exception"],
        ["two terminals", "one terminal per channel", "message of 64 B"],
        ["answers on another channel", "one terminal per channel", "message of 64 B"],
    ];

    [Fact]
    public async Task A_right_worker_written_by_hand_passes() =>
        await WorkerContract.HoldsAsync(WorkerChecker.Socket, Path.Combine(WorkerContract.Folder("wrong"), "wrong.py"));

    [Fact]
    public async Task Each_fault_is_caught_by_its_case()
    {
        ConcurrentBag<string> missed = [];
        ParallelOptions few = new() { MaxDegreeOfParallelism = 6 }; // they wait more than they work
        await Parallel.ForEachAsync(Faults, few, async (fault, _) =>
        {
            IReadOnlyList<CheckRow> rows = await WorkerContract.RunAsync(new WorkerCheckOptions
            {
                Command = [Path.Combine(WorkerContract.Folder("wrong"), "wrong.py")],
                Environment = new Dictionary<string, string> { ["FAULT"] = fault[0] },
                Pipes = [WorkerChecker.Socket],
                Cases = [fault[^1]],
                Patience = TimeSpan.FromSeconds(fault[1] == "handshake" ? 3 : 5),
                LongestSilence = TimeSpan.FromSeconds(7),
            });
            if (!rows.Any(row => row.Case == fault[1] && row.Outcome == CheckOutcome.Failed && row.Problem.Length > 0 && row.Section.Length > 0))
            {
                missed.Add($"{fault[0]}: {string.Join("; ", rows)}");
            }
        });
        Assert.Empty(missed);
    }

    [Theory]
    [InlineData("cannot do without the pipe", "refused pipe", "refused pipe")]
    [InlineData("begins what was taken back", "one terminal per channel", "recall")]
    [InlineData("a record past the tail", "empty request", "empty request")]
    [InlineData("speaks on the socket too", "handshake", "empty request")]
    public async Task Faults_of_the_shared_memory_pipe_are_caught(string fault, string row, string run)
    {
        IReadOnlyList<CheckRow> rows = await WorkerContract.RunAsync(new WorkerCheckOptions
        {
            Command = [Path.Combine(WorkerContract.Folder("wrong"), "wrong_pipe.py")],
            Environment = new Dictionary<string, string>
            {
                ["FAULT"] = fault,
                ["SDK"] = Path.Combine(Repository.Root, "workers/python"),
                ["CONTRACT"] = Path.Combine(WorkerContract.Folder("python"), "contract.py"),
            },
            Pipes = [WorkerChecker.SharedMemory],
            Cases = [run],
            Patience = TimeSpan.FromSeconds(5),
        });
        Assert.Contains(rows, one => one.Case == row && one.Outcome == CheckOutcome.Failed);
    }

    [Fact]
    public void Every_case_has_a_fault_that_it_catches() => Assert.Equal(
        ["recall", "refused pipe"], WorkerChecker.CaseNames.Except(Faults.Select(fault => fault[1])).Where(name => !name.StartsWith("disown with", StringComparison.Ordinal)));
}
