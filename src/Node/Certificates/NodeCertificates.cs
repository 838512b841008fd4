using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>
/// The TLS of a node: its files from the config, and the doors that use them. The files are read again when the config is, and when one of
/// them has changed. A mistake in them changes nothing.
/// </summary>
/// <param name="config">The config; null for a node without certificates, which loads no library for them.</param>
/// <param name="log">The node's log.</param>
/// <param name="audit">The node's audit.</param>
internal sealed class NodeCertificates(TlsConfig? config, ILogger log, Audit audit) : IDisposable
{
    private readonly Lock _lock = new(); // one reload at a time
    private readonly CancellationTokenSource _ends = new();
    private readonly EndWarnings _warnings = new(log);
    private TlsConfig? _config = config;   // under the lock after the start
    private TlsDoors? _doors;              // from Start on; null without a config
    private FileStamps? _stamps;           // the files as they were at the last look; under the lock

    /// <summary>
    /// Time between two looks at the files. A look costs a system call for each file, and a revoked client goes within this time.
    /// </summary>
    public TimeSpan LookPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the node's apps and the locator; without certificates until <see cref="Start"/>.</summary>
    public NodeTls Tls => new(_doors);

    /// <summary>Reads the files, and looks at them from now on.</summary>
    /// <exception cref="NodeException">A file cannot be used, or there is no libssl.</exception>
    public void Start()
    {
        if (_config is null)
        {
            return;
        }

        try
        {
            _stamps = FileStamps.Of(_config); // first: a change meanwhile is seen at the next look
            TlsContexts files = TlsContexts.Read(_config);
            _doors = new TlsDoors(files, _config.HandshakeTimeoutMs, log, audit);
            _warnings.Look(files, _config.CrlFile);
        }
        catch (TlsException mistake)
        {
            throw new NodeException(TlsMistakes.Describe(_config, mistake), mistake);
        }

        _ = WatchAsync(_ends.Token); // the method throws nothing
    }

    /// <summary>Reads the files of another config. A mistake in them is logged, and the files before stay.</summary>
    /// <returns>False when the change takes a restart of the node: TLS as a whole came or went.</returns>
    public bool Reload(TlsConfig? next)
    {
        lock (_lock)
        {
            if (_doors is null || next is null)
            {
                return _doors is null && next is null;
            }

            _config = next;
            _doors.HandshakeTimeoutMs = next.HandshakeTimeoutMs;
            Read(_doors, next);
            return true;
        }
    }

    /// <summary>Reads the files again when one of them has changed; looks at the ends of the certificates.</summary>
    internal void Look()
    {
        lock (_lock)
        {
            if (_doors is not { } doors || _config is not { } now)
            {
                return;
            }

            if (!FileStamps.Of(now).Equals(_stamps))
            {
                Read(doors, now);
            }

            _warnings.Look(doors.Files, now.CrlFile);
        }
    }

    public void Dispose()
    {
        _ends.Cancel();
        _doors?.Dispose();
    }

    private void Read(TlsDoors doors, TlsConfig files)
    {
        _stamps = FileStamps.Of(files);
        try
        {
            doors.Use(TlsContexts.Read(files));
            CertificateLog.Reloaded(log, files.CertificateFile);
        }
        catch (TlsException mistake)
        {
            CertificateLog.StaysAsBefore(log, TlsMistakes.Describe(files, mistake));
        }
    }

    private async Task WatchAsync(CancellationToken end)
    {
        using PeriodicTimer timer = new(LookPeriod, NodeClock.Instance);
        try
        {
            while (await timer.WaitForNextTickAsync(end))
            {
                Look();
            }
        }
        catch (OperationCanceledException)
        {
            // the usual end
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            CertificateLog.NoMoreLooks(log, fault);
        }
    }
}
