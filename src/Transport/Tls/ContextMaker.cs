using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>Makes the contexts of OpenSSL, with the settings that all TLS of this product has.</summary>
/// <remarks>Safety: texts are pinned for the calls; a context that cannot be finished is freed here.</remarks>
internal static unsafe class ContextMaker
{
    /// <summary>At least 112 bits of security: RSA from 2,048 bits on, no SHA-1 in certificates.</summary>
    public const int SecurityLevel = 2;

    /// <summary>Certificates of a peer, bytes; as many as a whole handshake may send.</summary>
    private const int MaxCertificateBytes = 32 << 10;

    /// <summary>Time in which a client may come back with a ticket, s.</summary>
    private const int TicketLifeS = 3600;

    /// <summary>The suites of TLS 1.2 that have forward secrecy and authenticated encryption; those of 1.3 all have.</summary>
    private const string Suites12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

    private const ulong Always = LibSsl.NoCompression | LibSsl.NoRenegotiation | LibSsl.ServerPreference;

    private static int _live;

    /// <summary>The results of a choice of protocols.</summary>
    private const int Chosen = 0, Fatal = 2;

    /// <summary>The name of the protocol inside, as ALPN writes it: its length, then its text.</summary>
    private static ReadOnlySpan<byte> Protocol => "\u000ecocaine-fast/1"u8;

    /// <exception cref="TlsException">A file cannot be used.</exception>
    public static nint MakeServer(TlsIdentity identity, TlsServerSettings settings)
    {
        nint context = New(LibSsl.TLS_server_method(), settings.AllowsTls12);
        try
        {
            Use(context, identity);
            LibSsl.SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, null);
            fixed (byte* id = Protocol)
            {
                _ = LibSsl.SSL_CTX_set_session_id_context(context, id, (uint)Protocol.Length);
            }

            if (settings.ClientCaFile is { } file)
            {
                AskForCertificate(context, file, settings.CrlFile);
            }
            else
            {
                _ = LibSsl.SSL_CTX_set_num_tickets(context, 1);
                _ = LibSsl.SSL_CTX_set_timeout(context, TicketLifeS);
            }

            return context;
        }
        catch
        {
            Free(context);
            throw;
        }
    }

    /// <exception cref="TlsException">A file cannot be used.</exception>
    public static nint MakeClient(TlsClientSettings settings)
    {
        nint context = New(LibSsl.TLS_client_method(), allowsTls12: false);
        try
        {
            if (settings.CaFile is { } file)
            {
                Trust(context, file);
                CheckRevoked(context, settings.CrlFile);
            }
            else
            {
                _ = LibSsl.SSL_CTX_set_default_verify_paths(context);
            }

            if (settings.Identity is { } identity)
            {
                Use(context, identity);
            }

            LibSsl.SSL_CTX_set_verify(context, LibSsl.VerifyPeer, 0);
            return context;
        }
        catch
        {
            Free(context);
            throw;
        }
    }

    /// <summary>The contexts that were made and not freed, for tests: more of them than are in use is a leak.</summary>
    public static int Live => Volatile.Read(ref _live);

    public static void Free(nint context)
    {
        if (context != 0)
        {
            LibSsl.SSL_CTX_free(context);
            Interlocked.Decrement(ref _live);
        }
    }

    /// <summary>Offers the protocol to the server.</summary>
    public static void OfferProtocol(nint session)
    {
        fixed (byte* protocols = Protocol)
        {
            _ = LibSsl.SSL_set_alpn_protos(session, protocols, (uint)Protocol.Length);
        }
    }

    private static nint New(nint method, bool allowsTls12)
    {
        LibCrypto.ERR_clear_error();
        nint context = LibSsl.SSL_CTX_new(method);
        if (context == 0)
        {
            throw new TlsException(TlsPart.Library, null, $"{LibSsl.Library} makes no context: {TlsErrors.TakeFirst("no memory")}");
        }

        Interlocked.Increment(ref _live);
        _ = LibSsl.SSL_CTX_ctrl(context, LibSsl.SetMinimumVersion, allowsTls12 ? LibSsl.Tls12 : LibSsl.Tls13, null);
        _ = LibSsl.SSL_CTX_set_options(context, Always);
        LibSsl.SSL_CTX_set_security_level(context, SecurityLevel);
        _ = LibSsl.SSL_CTX_set_cipher_list(context, Suites12);
        _ = LibSsl.SSL_CTX_ctrl(context, LibSsl.SetMode, LibSsl.ReleaseBuffers | LibSsl.MovingWriteBuffer, null);
        _ = LibSsl.SSL_CTX_ctrl(context, LibSsl.ClearMode, LibSsl.AutoRetry, null);
        _ = LibSsl.SSL_CTX_ctrl(context, LibSsl.SetSessionCacheMode, 0, null);
        _ = LibSsl.SSL_CTX_ctrl(context, LibSsl.SetMaxCertificateList, MaxCertificateBytes, null);
        LibSsl.SSL_CTX_set_default_passwd_cb(context, &HasNoPassword);
        return context;
    }

    private static void Use(nint context, TlsIdentity identity)
    {
        Open(TlsPart.Certificate, identity.CertificateFile);
        Open(TlsPart.Key, identity.KeyFile);
        LibCrypto.ERR_clear_error();
        if (LibSsl.SSL_CTX_use_certificate_chain_file(context, identity.CertificateFile) != 1)
        {
            throw new TlsException(
                TlsPart.Certificate, identity.CertificateFile,
                $"{identity.CertificateFile}: no certificate that can be used: {TlsErrors.TakeFirst("no PEM")}");
        }

        bool isRead = LibSsl.SSL_CTX_use_PrivateKey_file(context, identity.KeyFile, LibSsl.Pem) == 1;
        string problem = isRead ? "" : TlsErrors.TakeFirst("no PEM");
        bool isOther = isRead ? LibSsl.SSL_CTX_check_private_key(context) != 1 : problem.Contains("mismatch", StringComparison.Ordinal);
        LibCrypto.ERR_clear_error();
        if (isOther)
        {
            throw new TlsException(
                TlsPart.Certificate, identity.CertificateFile,
                $"{identity.CertificateFile}: the certificate does not belong to the key {identity.KeyFile}");
        }

        if (!isRead)
        {
            throw new TlsException(
                TlsPart.Key, identity.KeyFile, $"{identity.KeyFile}: no key that can be used (PEM, without a password): {problem}");
        }
    }

    private static void AskForCertificate(nint context, string caFile, string? crlFile)
    {
        Trust(context, caFile);
        nint names = LibSsl.SSL_load_client_CA_file(caFile);
        LibSsl.SSL_CTX_set_client_CA_list(context, names);
        LibSsl.SSL_CTX_set_verify(context, LibSsl.VerifyPeer | LibSsl.FailWithoutCertificate, 0);

        // A session that is resumed is not verified again: a client with a revoked certificate would come back.
        _ = LibSsl.SSL_CTX_set_options(context, LibSsl.NoTicket);
        _ = LibSsl.SSL_CTX_set_num_tickets(context, 0);
        CheckRevoked(context, crlFile);
    }

    private static void CheckRevoked(nint context, string? crlFile)
    {
        if (crlFile is null)
        {
            return;
        }

        nint store = LibSsl.SSL_CTX_get_cert_store(context);
        nint lookup = LibCrypto.X509_STORE_add_lookup(store, LibCrypto.X509_LOOKUP_file());
        Open(TlsPart.Crl, crlFile);
        LibCrypto.ERR_clear_error();
        if (lookup == 0 || LibCrypto.X509_load_crl_file(lookup, crlFile, LibSsl.Pem) <= 0)
        {
            throw new TlsException(TlsPart.Crl, crlFile, $"{crlFile}: no list of revoked certificates: {TlsErrors.TakeFirst("no PEM")}");
        }

        _ = LibCrypto.X509_STORE_set_flags(store, LibCrypto.CheckRevoked);
    }

    /// <summary>Opens a file for the error of the system, which OpenSSL does not tell.</summary>
    private static void Open(TlsPart part, string file)
    {
        try
        {
            File.OpenHandle(file).Dispose();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TlsException(part, file, $"{file} cannot be read: {failure.Message}");
        }
    }

    private static void Trust(nint context, string file)
    {
        Open(TlsPart.Ca, file);
        LibCrypto.ERR_clear_error();
        if (LibSsl.SSL_CTX_load_verify_file(context, file) != 1)
        {
            throw new TlsException(TlsPart.Ca, file, $"{file}: no certificates of a CA: {TlsErrors.TakeFirst("no PEM")}");
        }
    }

    /// <summary>A key with a password is a mistake. Without this, OpenSSL would ask the terminal for it.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int HasNoPassword(byte* buffer, int length, int isForWriting, void* argument) => 0;

    /// <summary>Chooses the protocol among those that the client offers. A client that offers others only means another server.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ChooseProtocol(nint session, byte** chosen, byte* chosenLength, byte* offered, uint offeredLength, void* argument)
    {
        ReadOnlySpan<byte> wanted = Protocol[1..];
        for (uint at = 0; at < offeredLength; at += 1u + offered[at])
        {
            if (at + 1 + offered[at] <= offeredLength && new ReadOnlySpan<byte>(offered + at + 1, offered[at]).SequenceEqual(wanted))
            {
                *chosen = offered + at + 1;
                *chosenLength = offered[at];
                return Chosen;
            }
        }

        return Fatal;
    }
}
