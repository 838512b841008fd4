using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The result of a step of a <see cref="TlsSession"/>.</summary>
internal enum TlsResult
{
    /// <summary>The step is done.</summary>
    Ok,

    /// <summary>More bytes of the peer are needed.</summary>
    NeedMore,

    /// <summary>The peer has said that its last byte was sent.</summary>
    Closed,

    /// <summary>The session is over: the peer's bytes are wrong, or its certificate is refused. An alert may be in the output.</summary>
    Failed,
}

/// <summary>
/// One TLS session over bytes in memory: its owner brings the peer's bytes, and takes away those for the peer. One thread at a time uses a
/// session: a worker during the handshake, then the loop of the connection.
/// </summary>
/// <remarks>
/// Safety: the window is native memory of this session, so no call can see the bytes of another connection. The addresses in it are set
/// for a call and cleared after it. The handle is freed once; the owner calls nothing afterwards.
/// </remarks>
internal sealed unsafe class TlsSession : IDisposable
{
    /// <summary>The most plain text of a record that this side writes: four records with their frames fill a large block.</summary>
    public const int MaxPlainBytes = (16 << 10) - FrameBytes;

    /// <summary>Room beside the plain text: the frame of a record, and an answer to a key update before it.</summary>
    public const int FrameBytes = 96;

    /// <summary>Bytes of <see cref="Binding"/>: those of a digest.</summary>
    private const int BindingBytes = 32;

    /// <summary>A name with more bytes is none of DNS.</summary>
    private const int MaxNameLength = 253;

    private readonly Action _released;
    private readonly TlsWindow* _window;
    private nint _handle;      // 0 once disposed of
    private bool _isOver;      // a call failed: OpenSSL must not be asked to shut the session down
    private bool _isShut;      // the end was told to the peer
    private int _owners = 1;   // the session goes with the last of them
    private int _thread;       // the thread that is between Begin and End; 0 for none

    /// <param name="context">The context's handle, which the caller holds for this session.</param>
    /// <param name="serverName">
    /// The name that the server must have, empty when any certificate of the CA will do; null for the server's side.
    /// </param>
    /// <param name="released">Called once, when the session has given its handle back.</param>
    internal TlsSession(nint context, string? serverName, Action released)
    {
        _released = released;
        LibCrypto.ERR_clear_error();
        _window = (TlsWindow*)NativeMemory.AllocZeroed((nuint)sizeof(TlsWindow));
        try
        {
            _handle = LibSsl.SSL_new(context);
            nint bio = _handle == 0 ? 0 : MemoryBio.New(_window);
            if (bio == 0)
            {
                throw new TlsException(TlsPart.Library, null, $"no TLS session can be made: {TlsErrors.TakeFirst("no memory")}");
            }

            LibSsl.SSL_set_bio(_handle, bio, bio);
            if (serverName is null)
            {
                LibSsl.SSL_set_accept_state(_handle);
            }
            else
            {
                LibSsl.SSL_set_connect_state(_handle);
                ContextMaker.OfferProtocol(_handle);
                if (serverName.Length > 0)
                {
                    Expect(serverName);
                }
            }
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>Called once, when the session is gone.</summary>
    public Action? Disposed { get; set; }

    /// <summary>The reason for which a step failed; empty before.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>The version of the protocol, for example "TLSv1.3".</summary>
    public string Version => Marshal.PtrToStringUTF8((nint)LibSsl.SSL_get_version(_handle)) ?? "";

    /// <summary>The session continues an earlier one by a ticket.</summary>
    public bool IsResumed => LibSsl.SSL_session_reused(_handle) == 1;

    /// <summary>
    /// This side has sent all of its handshake. The server then awaits a digest, and before it the client's certificate where it asks for
    /// one.
    /// </summary>
    public bool HasSentFinished => LibSsl.SSL_get_finished(_handle, null, 0) > 0;

    /// <summary>Received bytes that were not looked at yet; valid between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public int InputBytes => (int)_window->InBytes;

    /// <summary>Bytes for the peer that were written so far; valid between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public int OutputBytes => (int)_window->OutBytes;

    /// <summary>A record was decrypted, and a part of its plain text was not read yet.</summary>
    public bool HasPlainText => LibSsl.SSL_pending(_handle) > 0;

    /// <summary>The session holds the beginning of a record.</summary>
    public bool HoldsHalfRecord => _window->IsWithinRecord;

    /// <summary>Sets the memory of the following steps. It must stay where it is until <see cref="End"/>, which must follow.</summary>
    /// <param name="input">The peer's bytes.</param>
    /// <param name="inputBytes">How many.</param>
    /// <param name="output">The place for bytes to the peer.</param>
    /// <param name="outputCapacity">Bytes that there is room for.</param>
    public void Begin(byte* input, int inputBytes, byte* output, int outputCapacity)
    {
        Debug.Assert(_thread == 0, "one thread at a time uses a session");
        _thread = Environment.CurrentManagedThreadId;
        *_window = new TlsWindow
        {
            In = input,
            InBytes = (nuint)inputBytes,
            Out = output,
            OutCapacity = (nuint)outputCapacity,
            IsWithinRecord = _window->IsWithinRecord,
        };
    }

    /// <summary>Ends what <see cref="Begin"/> began: the session knows no memory of the caller any more.</summary>
    public void End()
    {
        Debug.Assert(_thread == Environment.CurrentManagedThreadId, "the thread that began a step ends it");
        _thread = 0;
        *_window = new TlsWindow { IsWithinRecord = _window->IsWithinRecord };
    }

    /// <summary>A step of the handshake, with memory of its own.</summary>
    /// <param name="received">The peer's bytes.</param>
    /// <param name="answer">Gets the bytes for the peer, also when the step fails.</param>
    /// <param name="taken">Bytes of <paramref name="received"/> that belong to the handshake; the others are for a read after it.</param>
    public TlsResult Handshake(ReadOnlySpan<byte> received, IBufferWriter<byte> answer, out int taken)
    {
        TlsScratch scratch = TlsScratch.Own;
        fixed (byte* start = received)
        {
            Begin(start, received.Length, scratch.Output, TlsScratch.OutputBytes);
            try
            {
                TlsResult result;
                int before;
                do
                {
                    before = InputBytes;
                    LibCrypto.ERR_clear_error();
                    int done = LibSsl.SSL_do_handshake(_handle);
                    result = done == 1 ? TlsResult.Ok : ResultOf(done);
                }
                while (result == TlsResult.NeedMore && InputBytes > 0 && InputBytes < before);

                taken = received.Length - InputBytes;
                answer.Write(new ReadOnlySpan<byte>(scratch.Output, OutputBytes));
                return result;
            }
            finally
            {
                End();
            }
        }
    }

    /// <summary>Reads plain text of at most one record. Between <see cref="Begin"/> and <see cref="End"/>.</summary>
    /// <remarks>NeedMore with input left: a record without plain text was read, and there may be others.</remarks>
    public TlsResult Read(Span<byte> into, out int count)
    {
        nuint read = 0;
        fixed (byte* start = into)
        {
            LibCrypto.ERR_clear_error();
            int done = LibSsl.SSL_read_ex(_handle, start, (nuint)into.Length, &read);
            count = (int)read;
            return done == 1 ? TlsResult.Ok : ResultOf(done);
        }
    }

    /// <summary>
    /// Writes one record. The output must have room for the plain text and <see cref="FrameBytes"/>. Between <see cref="Begin"/> and
    /// <see cref="End"/>.
    /// </summary>
    /// <param name="plain">1 to <see cref="MaxPlainBytes"/> bytes.</param>
    public TlsResult Write(ReadOnlySpan<byte> plain)
    {
        nuint written = 0;
        fixed (byte* start = plain)
        {
            LibCrypto.ERR_clear_error();
            int done = LibSsl.SSL_write_ex(_handle, start, (nuint)plain.Length, &written);
            return done == 1 && written == (nuint)plain.Length ? TlsResult.Ok : Fail(done == 1 ? "a short write" : "no room for a record");
        }
    }

    /// <summary>
    /// Tells the peer that no byte follows, once; nothing after a failure. Between <see cref="Begin"/> and <see cref="End"/>.
    /// </summary>
    public void Shutdown()
    {
        if (!_isOver && !_isShut)
        {
            _isShut = true;
            LibCrypto.ERR_clear_error();
            _ = LibSsl.SSL_shutdown(_handle);
        }
    }

    /// <summary>Changes the key of the bytes to the peer, with the next record; asks the peer to do the same.</summary>
    public void UpdateKeys() => LibSsl.SSL_key_update(_handle, 1);

    /// <summary>The peer's verified certificates as DER, its own first, the root left out; empty when it has sent none.</summary>
    public IReadOnlyList<byte[]> PeerChain() => ClientTrust.ChainOf(_handle);

    /// <summary>
    /// The session is handed from one connection to the next: it outlives one more call of <see cref="Dispose"/>. The first owner must be
    /// done before the next one begins.
    /// </summary>
    public void AddOwner() => _owners++;

    /// <summary>
    /// Bytes that both ends of this session know, and nobody else (RFC 8446, 7.5): a proof that covers them is worth nothing elsewhere.
    /// </summary>
    /// <exception cref="TlsException">The handshake is not done.</exception>
    public byte[] Binding(ReadOnlySpan<byte> label)
    {
        byte[] bytes = new byte[BindingBytes];
        fixed (byte* into = bytes, name = label)
        {
            LibCrypto.ERR_clear_error();
            return LibSsl.SSL_export_keying_material(_handle, into, BindingBytes, name, (nuint)label.Length, null, 0, 0) == 1 ? bytes
                : throw new TlsException(TlsPart.Library, null, $"no bytes of the session: {TlsErrors.TakeFirst("no handshake")}");
        }
    }

    public void Dispose()
    {
        if (_handle != 0 && --_owners == 0)
        {
            Free();
            _released();
            Disposed?.Invoke();
        }
    }

    private void Free()
    {
        if (_handle != 0)
        {
            LibSsl.SSL_free(_handle);
            _handle = 0;
        }

        NativeMemory.Free(_window);
    }

    private void Expect(string name)
    {
        if (IPAddress.TryParse(name, out IPAddress? address))
        {
            if (LibCrypto.X509_VERIFY_PARAM_set1_ip_asc(LibSsl.SSL_get0_param(_handle), address.ToString()) == 1)
            {
                return;
            }
        }
        else if (name.Length <= MaxNameLength && LibSsl.SSL_set1_host(_handle, name) == 1
            && LibSsl.SSL_ctrl(_handle, LibSsl.SetServerName, 0, name) == 1)
        {
            return;
        }

        LibCrypto.ERR_clear_error();
        throw new TlsException(TlsPart.Library, null, "the server's name is neither an address nor a name that a certificate can have");
    }

    private TlsResult ResultOf(int done)
    {
        int error = LibSsl.SSL_get_error(_handle, done);
        return error switch
        {
            LibSsl.ErrorWantRead => TlsResult.NeedMore,
            LibSsl.ErrorZeroReturn => TlsResult.Closed,
            _ => Fail("no room for the answer"),
        };
    }

    private TlsResult Fail(string otherwise)
    {
        _isOver = true;
        string reason = TlsErrors.TakeLast(otherwise);
        Problem = TlsErrors.OfVerification(_handle) is { } refused ? $"{reason}: {refused}" : reason;
        return TlsResult.Failed;
    }
}
