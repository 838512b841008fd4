using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>
/// The calls of libssl that TLS is made of. Names and arguments are those of its manual pages, section 3ssl. <see cref="TlsLibrary"/> looks
/// for the library before the first call; a program without TLS never loads it.
/// </summary>
/// <remarks>
/// Safety: every pointer given must stay valid for the call; a context keeps the callbacks, which are static, and their argument. Only
/// calls that neither allocate, nor lock, nor call back run with a suppressed GC transition.
/// </remarks>
internal static unsafe partial class LibSsl
{
    public const string Library = "libssl.so.3";

    /// <summary>Commands of SSL_ctrl and SSL_CTX_ctrl.</summary>
    public const int SetMode = 33, SetSessionCacheMode = 44, SetMaxCertificateList = 51, SetServerNameCallback = 53,
        SetServerNameArgument = 54, SetServerName = 55, ClearMode = 78, SetMinimumVersion = 123;

    /// <summary>Modes: a write may continue from other memory, a read ends after each record, unused buffers go back.</summary>
    public const int MovingWriteBuffer = 0x2, AutoRetry = 0x4, ReleaseBuffers = 0x10;

    /// <summary>Options.</summary>
    public const ulong NoTicket = 1ul << 14, NoCompression = 1ul << 17, ServerPreference = 1ul << 22, NoRenegotiation = 1ul << 30;

    /// <summary>Versions of the protocol.</summary>
    public const int Tls12 = 0x0303, Tls13 = 0x0304;

    /// <summary>Modes of verification: ask for a certificate, and end without one.</summary>
    public const int VerifyPeer = 1, FailWithoutCertificate = 2;

    /// <summary>Results of SSL_get_error.</summary>
    public const int ErrorWantRead = 2, ErrorZeroReturn = 6;

    /// <summary>The type of files that OpenSSL reads: PEM.</summary>
    public const int Pem = 1;

    [LibraryImport(Library)]
    public static partial nint TLS_server_method();

    [LibraryImport(Library)]
    public static partial nint TLS_client_method();

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_ctrl(nint context, int command, nint number, void* pointer);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_callback_ctrl(
        nint context, int command, delegate* unmanaged[Cdecl]<nint, int*, void*, int> callback);

    [LibraryImport(Library)]
    public static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_security_level(nint context, int level);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_cipher_list(nint context, string ciphers);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_num_tickets(nint context, nuint count);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_set_timeout(nint context, nint seconds);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_session_id_context(nint context, byte* id, uint length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_use_certificate_chain_file(nint context, string file);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_use_PrivateKey_file(nint context, string file, int type);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_check_private_key(nint context);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_default_passwd_cb(
        nint context, delegate* unmanaged[Cdecl]<byte*, int, int, void*, int> callback);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_load_verify_file(nint context, string file);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_default_verify_paths(nint context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint SSL_load_client_CA_file(string file);

    /// <summary>The context owns the list afterwards.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_client_CA_list(nint context, nint list);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    /// <summary>The store belongs to the context.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_CTX_get_cert_store(nint context);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_alpn_select_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, void*, int> callback, void* argument);

    [LibraryImport(Library)]
    public static partial nint SSL_new(nint context);

    [LibraryImport(Library)]
    public static partial void SSL_free(nint session);

    /// <summary>The session owns both BIOs afterwards; it takes one reference when they are the same.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_set_bio(nint session, nint read, nint write);

    [LibraryImport(Library)]
    public static partial void SSL_set_accept_state(nint session);

    [LibraryImport(Library)]
    public static partial void SSL_set_connect_state(nint session);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint SSL_ctrl(nint session, int command, nint number, string text);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_set1_host(nint session, string name);

    /// <summary>The parameters belong to the session.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_get0_param(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_set_alpn_protos(nint session, byte* protocols, uint length);

    [LibraryImport(Library)]
    public static partial nint SSL_set_SSL_CTX(nint session, nint context);

    /// <summary>The name that the client asked for, or null; it belongs to the session.</summary>
    [LibraryImport(Library)]
    public static partial byte* SSL_get_servername(nint session, int type);

    [LibraryImport(Library)]
    public static partial int SSL_do_handshake(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_read_ex(nint session, void* buffer, nuint length, nuint* read);

    [LibraryImport(Library)]
    public static partial int SSL_write_ex(nint session, void* buffer, nuint length, nuint* written);

    [LibraryImport(Library)]
    public static partial int SSL_shutdown(nint session);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int SSL_get_error(nint session, int result);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int SSL_pending(nint session);

    [LibraryImport(Library)]
    public static partial nint SSL_get_verify_result(nint session);

    /// <summary>The peer's certificates that were verified, or 0; they belong to the session.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_get0_verified_chain(nint session);

    /// <summary>Constant text.</summary>
    [LibraryImport(Library)]
    public static partial byte* SSL_get_version(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_session_reused(nint session);

    [LibraryImport(Library)]
    public static partial nuint SSL_get_finished(nint session, byte* into, nuint bytes);

    [LibraryImport(Library)]
    public static partial int SSL_export_keying_material(
        nint session, byte* into, nuint bytes, byte* label, nuint labelBytes, byte* context, nuint contextBytes, int useContext);

    [LibraryImport(Library)]
    public static partial int SSL_key_update(nint session, int type);
}
