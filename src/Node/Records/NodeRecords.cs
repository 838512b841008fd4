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
    /// <param name="stateDirectory">The folder for data that outlives the node; null = no such data is kept.</param>
    /// <param name="findApp">A running app by its name.</param>
    /// <param name="seal">Seals jobs of the quarantine.</param>
    /// <param name="log">The node's log.</param>
    public NodeRecords(
        string? ledgerDirectory, string? stateDirectory, Func<string, RunningApp?> findApp, QuarantineSeal seal, ILogger log)
    {
        string? folder = ledgerDirectory ?? LedgerFolder.Default();
        _ledgers = new AppLedgers(folder, log);
        _left = new LeftLedgers(folder, log);
        Quarantine = new QuarantineStore(stateDirectory, findApp, seal, log, TimeProvider.System);
        if (Quarantine.IsInMemory)
        {
            QuarantineLog.InMemory(log);
        }
    }

    public QuarantineStore Quarantine { get; }

    /// <summary>The records for a new engine of an app; <see cref="Release"/> undoes the call.</summary>
    public EngineRecords Acquire(AppManifest app)
    {
        IJobLedger ledger = _ledgers.Acquire(app);
        return new EngineRecords
        {
            Ledger = ledger,
            FirstJobId = ledger.LastId,
            Numbers = new JobNumbers(0, 1),
            Quarantine = Quarantine.For(app.Name),
        };
    }

    /// <inheritdoc/>
    public EngineRecords AcquireShard(string app, int shard, int step, ulong lastId) => new()
    {
        Ledger = _ledgers.AcquireShard(app, shard, lastId),
        FirstJobId = lastId,
        Numbers = new JobNumbers(shard, step),
        Quarantine = Quarantine.For(app),
    };

    /// <summary>The engine has ended, with its app or only with its node; on the engine's loop.</summary>
    public void Release(string app, EngineRecords records, bool isDeleted) => _ledgers.Release(app, records.Ledger, isDeleted);

    /// <summary>Removes records of apps that are gone, beyond the bounds. Not on a loop; once the node's own apps are up.</summary>
    public void Tidy() => _left.Tidy();

    /// <summary>The node and its loops have ended.</summary>
    public void Close()
    {
        Quarantine.Close();
        _ledgers.CloseAll();
        _left.Tidy();
    }
}
