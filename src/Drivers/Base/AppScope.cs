namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The objects that the drivers of one app share, by their type. The node gives some; a driver makes others for the app's other drivers.
/// Belongs to the app's loop.
/// </summary>
internal sealed class AppScope
{
    private readonly Dictionary<Type, Func<object>> _given = [];
    private readonly Dictionary<Type, object> _made = [];

    /// <summary>Gives the drivers an object of the node. The object is made when a driver first asks for it.</summary>
    public void Give<T>(Func<T> make)
        where T : class => _given[typeof(T)] = make;

    /// <summary>The one object of its type. When the node gave none, the first driver that asks makes it.</summary>
    /// <param name="make">Makes the object, or throws an exception that says what is missing.</param>
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
