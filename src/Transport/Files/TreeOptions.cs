namespace Cocaine.Fast.Transport.Files;

/// <summary>The settings of a tree watcher, and its bounds.</summary>
/// <param name="Path">An absolute path; symbolic links in it are followed, links below it are not.</param>
/// <param name="Recursive">Watch folders below the path too.</param>
/// <param name="ReportExisting">Report existing files at the start as created.</param>
internal sealed record TreeOptions(string Path, bool Recursive, bool ReportExisting)
{
    /// <summary>The most remembered names, which are needed to find changes when events were lost: some 64 MB of memory.</summary>
    public int MaxEntries { get; init; } = 512 << 10;

    /// <summary>The most watches of one watcher; each costs the kernel about 1 KiB. The kernel's own bound is usually lower.</summary>
    public int MaxWatches { get; init; } = 1 << 20;

    /// <summary>The time between two looks at parts that cannot be watched.</summary>
    public int PollMs { get; init; } = 2000;
}
