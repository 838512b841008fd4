using Cocaine.Fast.Drivers.ZeroMq.Wire;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The prefixes that a peer of a PUB socket has subscribed to, each as often as the peer has said it.</summary>
internal sealed class Topics
{
    private readonly Dictionary<byte[], int> _counts = new(ByteComparer.Instance);

    /// <summary>Adds a prefix or takes it back; returns the reason to refuse the peer, or null.</summary>
    public string? Change(ReadOnlySpan<byte> topic, bool adds)
    {
        if (topic.Length > WireLimits.MaxTopicBytes)
        {
            return $"a topic is longer than {WireLimits.MaxTopicBytes} bytes";
        }

        var counts = _counts.GetAlternateLookup<ReadOnlySpan<byte>>();
        counts.TryGetValue(topic, out int count);
        if (adds)
        {
            if (count == 0 && _counts.Count == WireLimits.MaxTopics)
            {
                return $"a peer subscribes to more than {WireLimits.MaxTopics} topics";
            }

            counts[topic] = count == int.MaxValue ? count : count + 1;
        }
        else if (count > 1)
        {
            counts[topic] = count - 1;
        }
        else
        {
            counts.Remove(topic);
        }

        return null;
    }

    /// <summary>A message with this first frame is for the peer.</summary>
    public bool Match(ReadOnlySpan<byte> first)
    {
        foreach (byte[] topic in _counts.Keys)
        {
            if (first.StartsWith(topic))
            {
                return true;
            }
        }

        return false;
    }
}
