namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The things that the drivers of one app share, by their type: some are of the node, some were made by one driver for the others.
/// Belongs to the app's loop.
/// </summary>
internal sealed class AppScope
{
    private readonly Dictionary<Type, Func<object>> _given = [];
    private readonly Dictionary<Type, object> _made = [];

    /// <summary>Gives it something of the node, which is made when a driver first asks for it.</summary>
    public void Give<T>(Func<T> make)
        where T : class => _given[typeof(T)] = make;

    /// <summary>The one thing of its type; of what was not given, the first driver that asks makes it.</summary>
    /// <param name="make">Makes it, or throws an exception that says what is missing.</param>
    public T Get<T>(Func<T> make)
        where T : class
    {
        if (!_made.TryGetValue(typeof(T), out object? one))
        {
            one = _given.TryGetValue(typeof(T), out Func<object>? given) ? given() : make();
            _made.Add(typeof(T), one);
        }

        return (T)one;
    }
}
