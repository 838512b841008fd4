using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Apps;

/// <summary>Keeps the records of jobs, which outlive the apps that write them.</summary>
internal interface IAppRecords
{
    /// <summary>The records of an app that starts.</summary>
    EngineRecords Acquire(AppManifest manifest);

    /// <summary>An app has ended.</summary>
    void Release(string app, EngineRecords records, bool isDeleted);
}
