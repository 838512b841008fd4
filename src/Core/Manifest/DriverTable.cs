namespace Cocaine.Fast.Core.Manifest;

/// <summary>The drivers that manifests can name, in the order of lists for people.</summary>
internal sealed class DriverTable
{
    private readonly Dictionary<string, DriverSpec> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    public DriverTable(IEnumerable<DriverSpec> drivers)
    {
        foreach (DriverSpec driver in drivers)
        {
            foreach (string name in driver.Aliases.Prepend(driver.Type))
            {
                _byName.Add(name, driver);
                _names.Add(name);
            }
        }
    }

    /// <summary>All names, each alias after its driver.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The driver with a name or an alias; null when there is none.</summary>
    public DriverSpec? Find(string name) => _byName.GetValueOrDefault(name);
}
