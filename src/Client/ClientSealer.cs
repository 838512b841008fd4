using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Client;

/// <summary>
/// Seals the calls of one connection: opens a session with the first call, and another one before the session grows old. Lives on the
/// client's loop, but for <see cref="Load"/>.
/// </summary>
internal sealed class ClientSealer
{
    /// <summary>A session is replaced this long before the node forgets it, ms: its last call is on its way by then.</summary>
    private const long MarginMs = 60_000;

    /// <summary>An opening that was made in advance is good for so long, ms: half of the time that the node gives it.</summary>
    private const long FreshMs = SealLimits.MaxOpeningAgeS * 1000 / 2;

    private readonly OpeningWriter _writer;
    private readonly byte[] _app;
    private readonly byte[] _id = new byte[OpeningSecret.SessionIdBytes];
    private readonly byte[] _headers = new byte[CallOptions.MaxEncodedBytes + SealLimits.MaxOpeningBytes];
    private SealSession? _session;
    private byte[] _opening = [];  // valid while the session's first call has not gone
    private bool _isSent;          // the opening has gone
    private long _madeMs;
    private long _usedMs;

    private ClientSealer(RSA key, RSA node, byte[] app)
    {
        _writer = new OpeningWriter(key, node);
        _app = app;
    }

    /// <summary>Reads the keys, and makes an opening in advance.</summary>
    /// <exception cref="FormatException">A key file is not as it should be, or the app's name is too long.</exception>
    /// <exception cref="IOException">A key file cannot be read.</exception>
    public static ClientSealer Load(ClientSeal settings)
    {
        byte[] app = Encoding.UTF8.GetBytes(settings.App);
        if (app.Length is 0 or > RecordContext.MaxNameBytes || app.Contains((byte)0))
        {
            throw new FormatException($"an app's name has 1 to {RecordContext.MaxNameBytes} bytes");
        }

        ClientSealer sealer = new(
            Read(settings.KeyFile, RsaKeyText.ReadPrivate), Read(settings.NodeKeyFile, RsaKeyText.ReadPublic), app);
        sealer.Open(Environment.TickCount64);
        return sealer;
    }

    /// <summary>Memory for the headers of a call; good until the next call.</summary>
    public Span<byte> Headers => _headers;

    /// <summary>Begins a sealed call; returns the value of its header: an opening, or the number of the open session.</summary>
    public ReadOnlySpan<byte> Begin(SealedCall call, byte[] name, in CallOptions options, out bool opens)
    {
        long now = Environment.TickCount64;
        if (_session is null || IsOld(now))
        {
            Open(now);
        }

        _usedMs = now;
        call.Begin(_session!, isClient: true, _app, name, options.SealPolicy);
        opens = !_isSent;
        _isSent = true;
        return opens ? _opening : _id;
    }

    /// <summary>The node does not know the session: the next call opens another one.</summary>
    public void Forget(SealSession session)
    {
        if (_session == session)
        {
            _session = null;
        }
    }

    private static RSA Read(string file, Func<string, RSA> read)
    {
        try
        {
            return read(File.ReadAllText(file));
        }
        catch (FormatException problem)
        {
            throw new FormatException($"{file}: {problem.Message}", problem);
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new IOException($"{file}: {problem.Message}", problem);
        }
    }

    private bool IsOld(long now) => _isSent
        ? now - _madeMs > SealLimits.MaxSessionMs - MarginMs || now - _usedMs > SealLimits.MaxIdleMs - MarginMs
            || _session!.Sealed > SealLimits.MaxRecords / 2
        : now - _madeMs > FreshMs;

    /// <summary>Makes an opening: 1.4 ms with a key of 3072 bits, once an hour.</summary>
    private void Open(long now)
    {
        _session = _writer.Make(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), out _opening);
        BinaryPrimitives.WriteUInt128BigEndian(_id, _session.Id);
        (_isSent, _madeMs, _usedMs) = (false, now, now);
    }
}
