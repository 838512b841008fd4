using Cocaine.Fast.Languages.Tests.Cpp;
using Cocaine.Fast.Tools.WorkerCheck;

namespace Cocaine.Fast.Languages.Tests.Contract;

/// <summary>
/// The whole contract over every SDK, on both pipes: what <c>cocaine-fast worker-check</c> does. One at a time, as the kit is used: its cases
/// are about time too, and nodes of other tests beside it would take that from it.
/// </summary>
[Collection(nameof(Alone))]
public class PythonContractTests
{
    [Theory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task Python_keeps_the_contract(string pipe) => WorkerContract.HoldsAsync(
        pipe, "/usr/bin/python3", Path.Combine(Repository.Root, "workers/python/cocaine-worker.py"), "{}",
        Path.Combine(WorkerContract.Folder("python"), "contract.py"));
}

[Collection(nameof(Alone))]
public class DotNetContractTests
{
    [Theory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task DotNet_keeps_the_contract(string pipe) => WorkerContract.HoldsAsync(
        pipe, "dotnet", Path.Combine(AppContext.BaseDirectory, "Cocaine.Fast.Worker.dll"), "{}",
        Path.Combine(WorkerContract.Folder("dotnet"), "bin/Release/net10.0/Contract.dll"));
}

[Collection(nameof(Alone))]
public class CppContractTests
{
    [CppTheory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task A_Cpp_program_keeps_the_contract(string pipe) => WorkerContract.HoldsAsync(pipe, CppBuild.ContractProgram);
}

[Collection(nameof(Alone))]
public class CppObjectContractTests
{
    [CppTheory]
    [InlineData(WorkerChecker.Socket)]
    [InlineData(WorkerChecker.SharedMemory)]
    public Task A_Cpp_shared_object_in_a_worker_process_keeps_the_contract(string pipe) => WorkerContract.HoldsAsync(
        pipe, "dotnet", Path.Combine(AppContext.BaseDirectory, "Cocaine.Fast.Worker.dll"), "{}", CppBuild.ContractObject);
}

[Collection(nameof(Alone))]
public class PerlContractTests
{
    [NeedsFact("perl", "perl")]
    public Task Perl_keeps_the_contract() => WorkerContract.HoldsAsync(
        WorkerChecker.Socket, "perl", Path.Combine(Repository.Root, "workers/perl/cocaine-worker.pl"), "{}",
        Path.Combine(WorkerContract.Folder("perl"), "contract.pl"));
}

[Collection(nameof(Alone))]
public class JavaScriptContractTests
{
    [NeedsFact("node", "nodejs")]
    public Task JavaScript_keeps_the_contract() => WorkerContract.HoldsAsync(
        WorkerChecker.Socket, "node", Path.Combine(Repository.Root, "workers/javascript/cocaine-worker.js"), "{}",
        Path.Combine(WorkerContract.Folder("javascript"), "contract.mjs"));
}
