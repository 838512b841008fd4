using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// A folder of RSA keys: <c>NAME.pub</c> or <c>NAME.N.pub</c> for each caller, and the node's own keys in <c>own/*.pem</c>. The newest of
/// the own keys is the node's present one; all of them open.
/// </summary>
/// <param name="path">The folder.</param>
internal sealed class KeyFolder(string path)
{
    /// <summary>The folder of the node's own keys, below the folder of keys.</summary>
    public const string OwnFolder = "own";

    /// <summary>The reason why a folder of keys cannot be trusted, by its path; null when it can.</summary>
    public Func<string, string?> FolderProblem { get; init; } = static _ => null;

    /// <summary>The reason why an open file cannot be trusted, and whether it is a private key; null when it can.</summary>
    public Func<SafeFileHandle, bool, string?> FileProblem { get; init; } = static (_, _) => null;

    /// <summary>
    /// Names, times and sizes of the files as one text: the files have changed when the text has. The text is empty without the folder.
    /// </summary>
    public string Look()
    {
        StringBuilder seen = new();
        try
        {
            foreach (FileInfo file in PublicFiles().Concat(OwnFiles()))
            {
                seen.Append(CultureInfo.InvariantCulture, $"{file.FullName}\0{file.LastWriteTimeUtc.Ticks}\0{file.Length}\0");
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            seen.Append(fault.Message); // the reader of the keys tells it
        }

        return seen.ToString();
    }

    /// <summary>
    /// Reads every key of the folder. Null when a file is not as it should be: then no key of the folder is to be trusted.
    /// </summary>
    /// <param name="problems">Gets a text for each mistake, with the path of its file.</param>
    public KeyRing? Read(List<string> problems)
    {
        try
        {
            string[] folders = [path, Path.Combine(path, OwnFolder)];
            problems.AddRange(folders.Where(Directory.Exists).Select(FolderProblem).OfType<string>().Distinct());
            if (problems.Count > 0)
            {
                return null; // anybody could have put keys there
            }

            List<CallerKey> callers = [];
            foreach (FileInfo file in Bounded(PublicFiles(), SealLimits.MaxPublicKeys, problems))
            {
                if (NameOf(file.Name) is not { } name)
                {
                    problems.Add($"{file.FullName}: expected a name of letters, digits, - and _, then .pub");
                }
                else if (Read(file, isOwn: false, problems) is { } key)
                {
                    callers.Add(new CallerKey(name, RsaKeyText.Thumbprint(key), key));
                }
            }

            List<OwnKey> own = [];
            foreach (FileInfo file in Bounded(OwnFiles(), SealLimits.MaxOwnKeys, problems))
            {
                if (Read(file, isOwn: true, problems) is { } key)
                {
                    own.Add(new OwnKey(RsaKeyText.Thumbprint(key), key));
                }
            }

            CheckTwice(callers, own, problems);
            return problems.Count > 0 ? null : new KeyRing(callers, own);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path}: {fault.Message}");
            return null;
        }
    }

    /// <summary>The name of a caller from the name of its key's file; null when the file has no such name.</summary>
    internal static string? NameOf(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        int dot = name.LastIndexOf('.');
        if (dot > 0 && dot < name.Length - 1 && name.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9') < 0)
        {
            name = name[..dot];
        }

        return name.Length is > 0 and <= 64 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_') ? name : null;
    }

    /// <summary>One key under two names would have two identities.</summary>
    private static void CheckTwice(List<CallerKey> callers, List<OwnKey> own, List<string> problems)
    {
        foreach (IGrouping<string, CallerKey> same in callers.GroupBy(key => key.Thumbprint).Where(group => group.Count() > 1))
        {
            problems.Add($"{string.Join(" and ", same.Select(key => key.Name).Order())} have the same key: each needs its own");
        }

        foreach (IGrouping<string, OwnKey> same in own.GroupBy(key => key.Thumbprint).Where(group => group.Count() > 1))
        {
            problems.Add($"the key {same.Key} is twice in the folder {OwnFolder}: remove one of the files");
        }
    }

    private static IEnumerable<FileInfo> Bounded(IReadOnlyList<FileInfo> files, int most, List<string> problems)
    {
        if (files.Count > most)
        {
            problems.Add($"{files[0].DirectoryName}: {files.Count} keys, and at most {most} are taken");
            return [];
        }

        return files;
    }

    private RSA? Read(FileInfo file, bool isOwn, List<string> problems)
    {
        try
        {
            using FileStream stream = file.OpenRead();
            if (FileProblem(stream.SafeFileHandle, isOwn) is { } problem)
            {
                problems.Add($"{file.FullName}: {problem}");
                return null;
            }

            byte[] bytes = new byte[SealLimits.MaxKeyFileBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length < bytes.Length)
            {
                string text = Encoding.UTF8.GetString(bytes, 0, length);
                return isOwn ? RsaKeyText.ReadPrivate(text) : RsaKeyText.ReadPublic(text);
            }

            problems.Add($"{file.FullName}: more than {SealLimits.MaxKeyFileBytes} bytes are too many for a key");
            return null;
        }
        catch (FormatException fault)
        {
            problems.Add($"{file.FullName}: {fault.Message}");
            return null;
        }
    }

    private List<FileInfo> PublicFiles() =>
        [.. new DirectoryInfo(path).EnumerateFiles("*.pub").OrderBy(file => file.Name, StringComparer.Ordinal)];

    private List<FileInfo> OwnFiles() => new DirectoryInfo(Path.Combine(path, OwnFolder)) is { Exists: true } own
        ? [.. own.EnumerateFiles("*.pem").OrderByDescending(file => file.LastWriteTimeUtc)
            .ThenBy(file => file.Name, StringComparer.Ordinal)]
        : [];
}
