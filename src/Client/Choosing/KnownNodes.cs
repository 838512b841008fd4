namespace Cocaine.Fast.Client.Choosing;

/// <summary>
/// The addresses of an app that a client keeps, by the answers of locators. In a large cluster each answer names some nodes by chance, so
/// an address that one answer lacks may be good; in a small one it is gone.
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
        int most = listed.Distinct().Count() < ChoiceLimits.WholeAnswer ? 0 : ChoiceLimits.MostMissed;
        foreach (string endpoint in _missed.Keys.Except(listed).ToArray())
        {
            if (++_missed[endpoint] >= most)
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
