using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Drivers.Native;

/// <summary>
/// The events that a native-server serves, found by their bytes without making a string. With <c>"*"</c> every name is served. Names are
/// then learnt up to a bound; a name beyond it costs one allocation for each request, so a peer that makes up names cannot fill the memory.
/// </summary>
internal sealed class EventCatalog
{
    /// <summary>The most names learnt with "*": more methods than an app has.</summary>
    private const int MaxLearnt = 256;

    private readonly List<byte[]> _names = [];
    private readonly List<string> _declared = [];
    private readonly bool _any;

    public EventCatalog(string task, IReadOnlyList<string> events)
    {
        Monitor = new TaskMonitor(task);
        _any = events.Contains("*");
        foreach (string name in events)
        {
            if (name != "*")
            {
                _names.Add(Encoding.UTF8.GetBytes(name));
                _declared.Add(JsonPath.Shown(name));
            }
        }
    }

    public TaskMonitor Monitor { get; }

    /// <summary>Calls of the events bring their secret headers to the workers.</summary>
    public bool PassesSecrets { get; init; }

    /// <summary>The events that the manifest names, for people; without learnt names.</summary>
    public IReadOnlyList<string> Declared => _declared;

    /// <summary>The names by their index: those of the manifest, then learnt ones. The list only grows.</summary>
    public IReadOnlyList<byte[]> Names => _names;

    /// <summary>The event with this name, or null when it is not served.</summary>
    /// <param name="name">The event's name.</param>
    /// <param name="index">The event's place in <see cref="Names"/>; -1 when it has none.</param>
    public byte[]? Find(ReadOnlySpan<byte> name, out int index)
    {
        List<byte[]> names = _names;
        for (int i = 0; i < names.Count; i++)
        {
            if (name.SequenceEqual(names[i]))
            {
                index = i;
                return names[i];
            }
        }

        index = -1;
        return _any && name.Length is > 0 and <= 256 ? Learn(name, out index) : null;
    }

    private byte[] Learn(ReadOnlySpan<byte> name, out int index)
    {
        byte[] copy = name.ToArray();
        index = -1;
        if (_names.Count < MaxLearnt)
        {
            index = _names.Count;
            _names.Add(copy);
        }

        return copy;
    }
}
