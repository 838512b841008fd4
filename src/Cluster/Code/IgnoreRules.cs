using System.Text;
using System.Text.RegularExpressions;

namespace Cocaine.Fast.Cluster.Code;

/// <summary>
/// The file <c>.cocaineignore</c> of a folder: a pattern a line, like those of <c>.gitignore</c> but without exceptions. <c>*</c> stands
/// for characters other than a slash, <c>**</c> for any folders, <c>?</c> for one character. A pattern with a slash before its end counts
/// from the folder on, another one at any depth, and a slash at the end means folders only. Lines that begin with <c>#</c> are comments.
/// </summary>
internal sealed class IgnoreRules
{
    /// <summary>The name of the file, which is not packed itself.</summary>
    public const string FileName = ".cocaineignore";

    private const int MostBytes = 64 * 1024; // a list that a person writes

    private readonly List<(Regex Path, bool IsForFolders)> _rules = [];

    /// <summary>Rules of a text.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="CodeException">A line is no pattern.</exception>
    public IgnoreRules(string text)
    {
        int number = 0;
        foreach (string whole in text.Split('\n'))
        {
            number++;
            string line = whole.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] == '!')
            {
                throw new CodeException($"{FileName}, line {number}: exceptions (!) are not supported");
            }

            bool isForFolders = line.EndsWith('/');
            string pattern = line.TrimEnd('/');
            bool isFromTop = pattern.Contains('/');
            pattern = pattern.TrimStart('/');
            if (pattern.Length > 0)
            {
                _rules.Add((Expression(isFromTop ? pattern : "**/" + pattern), isForFolders));
            }
        }
    }

    /// <summary>The rules of a folder; none when it has no such file.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="CodeException">The file is too long, or a line is no pattern.</exception>
    public static IgnoreRules Of(string folder)
    {
        FileInfo file = new(Path.Combine(folder, FileName));
        return new IgnoreRules(!file.Exists ? "" : file.Length <= MostBytes ? File.ReadAllText(file.FullName)
            : throw new CodeException($"{FileName} is longer than {MostBytes} bytes"));
    }

    /// <summary>Whether a file or folder stays out of the pack. The folders above it were asked before.</summary>
    /// <param name="path">The path within the folder, with slashes.</param>
    /// <param name="isFolder">Whether it is a folder.</param>
    public bool Ignores(string path, bool isFolder) =>
        path is FileName or ".git" || _rules.Exists(rule => (isFolder || !rule.IsForFolders) && rule.Path.IsMatch(path));

    private static Regex Expression(string pattern)
    {
        StringBuilder text = new(@"\A");
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern.AsSpan(i).StartsWith("**/", StringComparison.Ordinal))
            {
                text.Append("(?:.*/)?");
                i += 2;
            }
            else if (pattern.AsSpan(i).StartsWith("**", StringComparison.Ordinal))
            {
                text.Append(".*");
                i++;
            }
            else
            {
                text.Append(pattern[i] switch
                {
                    '*' => "[^/]*",
                    '?' => "[^/]",
                    char other => Regex.Escape(other.ToString()),
                });
            }
        }

        return new Regex(text.Append(@"\z").ToString(), RegexOptions.Singleline | RegexOptions.NonBacktracking);
    }
}
