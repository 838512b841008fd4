using System.Text;

namespace Cocaine.Fast.Core.Security;

/// <summary>A pattern for names of apps or events: <c>*</c> stands for any letters, also for none. Immutable.</summary>
public sealed class NamePattern
{
    private const byte Star = (byte)'*';

    private readonly byte[] _pattern;

    /// <summary>Makes a pattern. Every text is one.</summary>
    public NamePattern(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Text = text;
        _pattern = Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The pattern as it was written.</summary>
    public string Text { get; }

    /// <summary>The pattern stands for this name. Takes no memory.</summary>
    public bool Matches(ReadOnlySpan<byte> name)
    {
        // After a star has failed, only the last star can take more: the method is of the order of both lengths multiplied, at most.
        ReadOnlySpan<byte> pattern = _pattern;
        int at = 0, inName = 0, star = -1, taken = 0;
        while (inName < name.Length)
        {
            if (at < pattern.Length && pattern[at] == Star)
            {
                star = at++;
                taken = inName;
            }
            else if (at < pattern.Length && pattern[at] == name[inName])
            {
                at++;
                inName++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                inName = ++taken;
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].IndexOfAnyExcept(Star) < 0;
    }

    /// <summary>The pattern stands for this name.</summary>
    public bool Matches(string name) => Matches(Encoding.UTF8.GetBytes(name));

    /// <summary>The pattern as it was written.</summary>
    public override string ToString() => Text;
}
