using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Quarantine;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Records;

/// <summary>The records of a node about its apps' jobs.</summary>
internal sealed class NodeRecords : IAppRecords
{
    private readonly AppLedgers _ledgers;
    private readonly LeftLedgers _left;

    /// <param name="ledgerDirectory">The folder of ledgers; null = the default.</param>
    /// <param name="stateDirectory">The folder of what outlives the node; null = nothing is kept.</param>
    /// <param name="findApp">A running app by its name.</param>
    /// <param name="log">The node's log.</param>
    public NodeRecords(string? ledgerDirectory, string? stateDirectory, Func<string, RunningApp?> findApp, ILogger log)
    {
        string? folder = ledgerDirectory ?? LedgerFolder.Default();
        _ledgers = new AppLedgers(folder, log);
        _left = new LeftLedgers(folder, log);
        Quarantine = new QuarantineStore(stateDirectory, findApp, log, TimeProvider.System);
        if (Quarantine.IsInMemory)
        {
            QuarantineLog.InMemory(log);
        }
    }

    public QuarantineStore Quarantine { get; }

    /// <summary>For a new engine of an app; undone by <see cref="Release"/>.</summary>
    public EngineRecords Acquire(AppManifest app)
    {
        IJobLedger ledger = _ledgers.Acquire(app);
        return new EngineRecords { Ledger = ledger, FirstJobId = ledger.LastId, Quarantine = Quarantine.For(app.Name) };
    }

    /// <summary>The engine has ended, with its app or only with its node; on its loop.</summary>
    public void Release(string app, EngineRecords records, bool isDeleted) => _ledgers.Release(app, records.Ledger, isDeleted);

    /// <summary>Removes what is kept of apps that are gone, beyond its bounds. Not on a loop; once the node's own apps are up.</summary>
    public void Tidy() => _left.Tidy();

    /// <summary>The node has ended, its loops too.</summary>
    public void Close()
    {
        Quarantine.Close();
        _ledgers.CloseAll();
        _left.Tidy();
    }
}
