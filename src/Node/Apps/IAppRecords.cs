using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Apps;

/// <summary>Keeps the records of jobs, which outlive the apps that write them.</summary>
internal interface IAppRecords
{
    /// <summary>The records of an app that starts.</summary>
    EngineRecords Acquire(AppManifest manifest);

    /// <summary>The records of an app on another of its loops. The release of the app releases them too.</summary>
    /// <param name="app">The app.</param>
    /// <param name="shard">The loop's place among the app's loops, from 1.</param>
    /// <param name="step">The distance of two job numbers on a loop: a power of two, the app's loops at least.</param>
    /// <param name="lastId">A number above which the loop's numbers are.</param>
    EngineRecords AcquireShard(string app, int shard, int step, ulong lastId);

    /// <summary>An app has ended.</summary>
    void Release(string app, EngineRecords records, bool isDeleted);
}
