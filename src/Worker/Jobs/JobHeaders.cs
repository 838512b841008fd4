using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>The headers of a job's invoke, kept in their encoded form and decoded when the handler asks for them.</summary>
internal sealed class JobHeaders
{
    private byte[] _bytes = [];
    private int _length;

    public ReadOnlySpan<byte> Encoded => _bytes.AsSpan(0, _length);

    /// <summary>The ids of the trace, under the names of the set.</summary>
    public HeaderSet Ids => Decode(null);

    public void Set(ReadOnlySpan<byte> encoded)
    {
        if (_bytes.Length < encoded.Length)
        {
            _bytes = new byte[encoded.Length];
        }

        encoded.CopyTo(_bytes);
        _length = encoded.Length;
    }

    public List<(string Name, byte[] Value)> ReadAll()
    {
        List<(string Name, byte[] Value)> all = [];
        _ = Decode((name, value) => all.Add((Encoding.UTF8.GetString(name), value.ToArray())));
        return all;
    }

    /// <summary>Wrong headers are left out.</summary>
    private HeaderSet Decode(HeaderLook? seen)
    {
        HeaderSet set = new() { Seen = seen };
        _ = HeaderReader.Decode(Encoded, new HeaderTable(), set, ProtocolLimits.Default);
        return set;
    }
}
