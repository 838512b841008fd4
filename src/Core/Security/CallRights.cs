namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The rights of one caller on the events of one app, as one bit for each event of a catalog. Belongs to one loop. Made from one
/// <see cref="SecurityRules"/>; other rules need another one.
/// </summary>
/// <param name="rules">The rules.</param>
/// <param name="caller">The caller.</param>
/// <param name="app">The app.</param>
/// <param name="allow">The only callers of the events, as a task names them; empty = those of the rules.</param>
internal sealed class CallRights(SecurityRules rules, Caller caller, string app, IReadOnlyList<string> allow)
{
    private const int BitsOfWord = 64;

    private ulong[] _bits = [];
    private int _count; // events that have their bit

    /// <summary>The caller.</summary>
    public Caller Caller => caller;

    /// <summary>The caller may call the event. Takes memory only for events that are new since the last call.</summary>
    /// <param name="index">The event's place in the catalog; below 0 when the catalog has no place for the event.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="catalog">All names of the catalog. A catalog only grows.</param>
    public bool MayCall(int index, ReadOnlySpan<byte> name, IReadOnlyList<byte[]> catalog)
    {
        if (index < 0)
        {
            return MayCallNow(name);
        }

        if (index >= _count)
        {
            Compile(catalog);
        }

        return (_bits[index / BitsOfWord] & (1UL << (index % BitsOfWord))) != 0;
    }

    private bool MayCallNow(ReadOnlySpan<byte> name) =>
        (allow.Count == 0 || RightsRule.Has(allow, in caller)) && rules.MayCall(in caller, app, name);

    private void Compile(IReadOnlyList<byte[]> catalog)
    {
        Array.Resize(ref _bits, (catalog.Count + BitsOfWord - 1) / BitsOfWord);
        for (; _count < catalog.Count; _count++)
        {
            if (MayCallNow(catalog[_count]))
            {
                _bits[_count / BitsOfWord] |= 1UL << (_count % BitsOfWord);
            }
        }
    }
}
