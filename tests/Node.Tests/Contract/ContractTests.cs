using Cocaine.Fast.Tools.WorkerCheck;

namespace Cocaine.Fast.Node.Tests.Contract;

/// <summary>
/// The whole contract over every SDK, on both pipes: what <c>cocaine-fast worker-check</c> does. One at a time, as the kit is used: its cases
/// are about time too, and nodes of other tests beside it would take that from it.
/// </summary>
internal static class Contract
{
    public static string Folder(string language) => Path.Combine(Apps.Root, "tests/contract", language);

    /// <summary>Patient: the machine may be busy with something else.</summary>
    public static async Task HoldsAsync(string pipe, params string[] command)
    {
        IReadOnlyList<CheckRow> rows = await RunAsync(new WorkerCheckOptions
        {
            Command = command,
            Pipes = [pipe],
            Patience = TimeSpan.FromSeconds(30),
            LongestSilence = TimeSpan.FromSeconds(25),
        });
        Assert.DoesNotContain(rows, row => row.Outcome == CheckOutcome.Failed);
        Assert.Equal(WorkerChecker.CaseNames, rows.Select(row => row.Case));
        Assert.Equal(pipe == WorkerChecker.Socket ? ["refused pipe"] : [], rows.Where(row => row.Outcome == CheckOutcome.Skipped).Select(row => row.Case));
    }

    /// <summary>On a thread of its own: the checker waits for its worker, and the pool's threads are for those who do not wait.</summary>
    public static Task<IReadOnlyList<CheckRow>> RunAsync(WorkerCheckOptions options) =>
        Task.Factory.StartNew(() => WorkerChecker.Run(options), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

[Collection(nameof(Alone))]
public class PythonContractTests
{
    [Theory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task Python_keeps_the_contract(string pipe) => Contract.HoldsAsync(
        pipe, "/usr/bin/python3", Path.Combine(Apps.Root, "workers/python/cocaine-worker.py"), "{}",
        Path.Combine(Contract.Folder("python"), "contract.py"));
}

[Collection(nameof(Alone))]
public class DotNetContractTests
{
    [Theory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task DotNet_keeps_the_contract(string pipe) => Contract.HoldsAsync(
        pipe, "dotnet", Path.Combine(AppContext.BaseDirectory, "Cocaine.Fast.Worker.dll"), "{}",
        Path.Combine(Contract.Folder("dotnet"), "bin/Release/net10.0/Contract.dll"));
}

[Collection(nameof(Alone))]
public class CppContractTests
{
    [CppTheory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task A_Cpp_program_keeps_the_contract(string pipe) => Contract.HoldsAsync(pipe, CppBuild.ContractProgram);
}

[Collection(nameof(Alone))]
public class CppObjectContractTests
{
    [CppTheory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task A_Cpp_shared_object_in_a_worker_process_keeps_the_contract(string pipe) => Contract.HoldsAsync(
        pipe, "dotnet", Path.Combine(AppContext.BaseDirectory, "Cocaine.Fast.Worker.dll"), "{}", CppBuild.ContractObject);
}

[Collection(nameof(Alone))]
public class PerlContractTests
{
    [NeedsFact("perl", "perl")]
    public Task Perl_keeps_the_contract() => Contract.HoldsAsync(
        WorkerChecker.Socket, "perl", Path.Combine(Apps.Root, "workers/perl/cocaine-worker.pl"), "{}",
        Path.Combine(Contract.Folder("perl"), "contract.pl"));
}

[Collection(nameof(Alone))]
public class JavaScriptContractTests
{
    [NeedsFact("node", "nodejs")]
    public Task JavaScript_keeps_the_contract() => Contract.HoldsAsync(
        WorkerChecker.Socket, "node", Path.Combine(Apps.Root, "workers/javascript/cocaine-worker.js"), "{}",
        Path.Combine(Contract.Folder("javascript"), "contract.mjs"));
}
