using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>
/// The files of a config at one time: inode, size and time of change, through links. certbot and mounted secrets change a link, and others
/// write the file.
/// </summary>
internal sealed class FileStamps : IEquatable<FileStamps>
{
    private readonly List<(string Path, ulong Identity, long ModifiedNs, long SizeBytes)> _files;

    private FileStamps(List<(string Path, ulong Identity, long ModifiedNs, long SizeBytes)> files) => _files = files;

    /// <summary>The present state of all files that the config names.</summary>
    public static FileStamps Of(TlsConfig config)
    {
        IEnumerable<string?> paths =
        [
            config.CertificateFile, config.KeyFile, config.ClientCaFile, config.CrlFile,
            .. config.Names.SelectMany(name => (string[])[name.CertificateFile, name.KeyFile]),
        ];
        return new FileStamps([.. paths.OfType<string>().Select(path => FileStatus.TryRead(path, out FileStatus status)
            ? (path, status.Identity, status.ModifiedNs, status.SizeBytes) : (path, 0, 0, 0))]);
    }

    public bool Equals(FileStamps? other) => other is not null && _files.SequenceEqual(other._files);

    public override bool Equals(object? obj) => Equals(obj as FileStamps);

    public override int GetHashCode() => _files.Count;
}
