using System.Security.Cryptography;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary>An RSA key in the folder of keys.</summary>
/// <param name="Name">The name of the file without its ending.</param>
/// <param name="IsOwn">The key is the node's, and not one that the node trusts.</param>
/// <param name="Path">The file.</param>
/// <param name="Bits">The length of the key; 0 when it cannot be read.</param>
/// <param name="KeyId">The thumbprint of the key; empty when it cannot be read.</param>
/// <param name="PublicText">The public key as PEM; empty when it cannot be read.</param>
/// <param name="Problem">The mistake in the file; null when there is none.</param>
internal sealed record RsaKeyEntry(string Name, bool IsOwn, string Path, int Bits, string KeyId, string PublicText, string? Problem);

/// <summary>
/// The folder of RSA keys: <c>NAME.pub</c> is a key of somebody that the node knows, <c>own/NAME.pem</c> a key of its own.
/// </summary>
internal static class RsaKeyFolder
{
    /// <summary>Enough until RSA itself is given up (NIST SP 800-57: 128 bits of strength).</summary>
    private const int NewBits = 3072;

    /// <summary>Makes a pair of keys and writes both.</summary>
    /// <exception cref="FormatException">A file is there already.</exception>
    /// <exception cref="IOException">The folders or the files cannot be made, or others can change the folders.</exception>
    public static RsaKeyEntry Make(string folder, string name, bool mayReplace)
    {
        string own = Path.Combine(folder, KeyFolder.OwnFolder);
        PrivateFolder.Make(folder);
        PrivateFolder.Make(own);
        using RSA key = RSA.Create(NewBits);
        string path = Path.Combine(own, name + ".pem"), text = key.ExportSubjectPublicKeyInfoPem();
        NewFiles.Write(
            mayReplace,
            new NewFile(path, key.ExportPkcs8PrivateKeyPem() + "\n", IsSecret: true),
            new NewFile(Path.Combine(folder, name + ".pub"), text + "\n"));
        return new RsaKeyEntry(name, IsOwn: true, path, key.KeySize, RsaKeyText.Thumbprint(key), text, Problem: null);
    }

    /// <summary>All keys, the node's own first; each group by name.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no folder.</exception>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static IReadOnlyList<RsaKeyEntry> Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"there is no folder {folder}: 'cocaine-fast keys new NAME --keys {folder}' makes it");
        }

        string own = Path.Combine(folder, KeyFolder.OwnFolder);
        string[] ownFiles = Directory.Exists(own) ? Directory.GetFiles(own, "*.pem") : [];
        return
        [
            .. ownFiles.Order(StringComparer.Ordinal).Select(path => ReadFile(path, isOwn: true)),
            .. Directory.GetFiles(folder, "*.pub").Order(StringComparer.Ordinal).Select(path => ReadFile(path, isOwn: false)),
        ];
    }

    /// <summary>The mistakes that a node finds in keys that are good each by itself, such as one key under two names.</summary>
    public static IEnumerable<string> CommonProblems(string folder)
    {
        List<string> problems = [];
        _ = KeyFolders.Of(folder).Read(problems);
        return problems;
    }

    /// <summary>The mistakes of the folders themselves, one text for each.</summary>
    public static IEnumerable<string> FolderProblems(string folder)
    {
        foreach (string path in (string[])[folder, Path.Combine(folder, KeyFolder.OwnFolder)])
        {
            if (PrivateFolder.Problem(Path.GetFullPath(path), mayBeShared: false) is { } shared)
            {
                yield return shared;
            }
            else if (FileStatus.TryRead(path, out FileStatus status) && SecretFile.Problem(in status) is { } problem)
            {
                yield return $"{path}: {problem}";
            }
        }
    }

    /// <summary>A file with its key and its first mistake.</summary>
    private static RsaKeyEntry ReadFile(string path, bool isOwn)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        RsaKeyEntry unread = new(name, isOwn, path, 0, "", "", null);
        if (!FileStatus.TryRead(path, out FileStatus status))
        {
            return unread with { Problem = "it is a link that leads nowhere" };
        }

        if (!status.IsPlain || status.SizeBytes > SealLimits.MaxKeyFileBytes)
        {
            return unread with { Problem = $"it is no file of a key: one has at most {SealLimits.MaxKeyFileBytes >> 10} KiB" };
        }

        string? problem = (isOwn ? SecretFile.Problem(in status) : SecretFile.ProblemOfPublic(in status))
            ?? (KeyNames.IsRsaName(name) ? null : $"its name is no name for a key: {KeyNames.RsaRule}");
        try
        {
            string text = File.ReadAllText(path);
            using RSA key = isOwn ? RsaKeyText.ReadPrivate(text) : RsaKeyText.ReadPublic(text);
            return unread with
            {
                Bits = key.KeySize,
                KeyId = RsaKeyText.Thumbprint(key),
                PublicText = key.ExportSubjectPublicKeyInfoPem(),
                Problem = problem,
            };
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            return unread with { Problem = problem ?? failure.Message };
        }
    }
}
