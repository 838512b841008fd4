namespace Cocaine.Fast.Transport.Files;

/// <summary>The things that a tree watcher watches, and its bounds.</summary>
/// <param name="Path">An absolute path; its own symbolic links are followed, those below it are not.</param>
/// <param name="Recursive">Folders below it too.</param>
/// <param name="ReportExisting">Existing files at the start are reported as created.</param>
internal sealed record TreeOptions(string Path, bool Recursive, bool ReportExisting)
{
    /// <summary>Names remembered, to find out what changed when events were lost: some 64 MB of memory.</summary>
    public int MaxEntries { get; init; } = 512 << 10;

    /// <summary>Watches of one watcher; each costs the kernel about 1 KiB. The kernel's own bound is usually lower.</summary>
    public int MaxWatches { get; init; } = 1 << 20;

    /// <summary>How often what cannot be watched is looked at.</summary>
    public int PollMs { get; init; } = 2000;
}
