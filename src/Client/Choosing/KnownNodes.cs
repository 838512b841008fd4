namespace Cocaine.Fast.Client.Choosing;

/// <summary>
/// The addresses of an app that a client keeps, by the answers of locators. An address that one answer lacks may be good: in a large
/// cluster each answer names some nodes by chance. Nodes that drain or are gone show it by themselves.
/// </summary>
internal sealed class KnownNodes
{
    private readonly Dictionary<string, int> _missed = [];

    /// <summary>The addresses to be connected to: at most <see cref="ChoiceLimits.MostNodes"/>.</summary>
    public IReadOnlyCollection<string> Wanted => _missed.Keys;

    /// <summary>A locator has answered.</summary>
    /// <param name="listed">The addresses in its answer, in the locator's order.</param>
    public void OnListed(IReadOnlyList<string> listed)
    {
        foreach (string endpoint in _missed.Keys.Except(listed).ToArray())
        {
            if (++_missed[endpoint] >= ChoiceLimits.MostMissed)
            {
                _missed.Remove(endpoint);
            }
        }

        foreach (string endpoint in listed)
        {
            if (_missed.ContainsKey(endpoint) || _missed.Count < ChoiceLimits.MostNodes)
            {
                _missed[endpoint] = 0;
            }
        }
    }
}
