using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Records;

/// <summary>What a node keeps of its apps' jobs beyond their answers.</summary>
internal sealed class NodeRecords(NodeOptions options, ILogger log)
{
    private readonly AppLedgers _ledgers = new(options.LedgerDirectory ?? LedgerFolder.Default(), log);

    /// <summary>For a new engine of an app; undone by <see cref="Release"/>.</summary>
    public EngineRecords Acquire(AppManifest app)
    {
        IJobLedger ledger = _ledgers.Acquire(app);
        return new EngineRecords { Ledger = ledger, FirstJobId = ledger.LastId };
    }

    /// <summary>The engine has ended; on its loop.</summary>
    public void Release(string app, EngineRecords records) => _ledgers.Release(app, records.Ledger);

    /// <summary>The node has ended, its loops too.</summary>
    public void CloseAll() => _ledgers.CloseAll();
}
