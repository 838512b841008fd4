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
    /// <summary>Lets the headers that prove who calls go on to the workers.</summary>
    public static readonly KeySpec PassAuthorization = new(
        "pass-authorization", KeyKind.Boolean,
        "workers get the headers `authorization` and `seal` of their jobs; otherwise the node keeps these from them", "false");

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

    /// <summary>The event with this name, or null when it is not served.</summary>
    public byte[]? Find(ReadOnlySpan<byte> name)
    {
        List<byte[]> names = _names;
        for (int i = 0; i < names.Count; i++)
        {
            if (name.SequenceEqual(names[i]))
            {
                return names[i];
            }
        }

        return _any && name.Length is > 0 and <= 256 ? Learn(name) : null;
    }

    private byte[] Learn(ReadOnlySpan<byte> name)
    {
        byte[] copy = name.ToArray();
        if (_names.Count < MaxLearnt)
        {
            _names.Add(copy);
        }

        return copy;
    }
}
