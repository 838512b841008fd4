namespace Cocaine.Fast.Harness;

/// <summary>
/// Tests that count for the whole process, or that need the time of the whole machine, run by themselves. Each test project compiles this
/// file: collections are looked for in the assembly of the tests.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;
