using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The calls of libcrypto that TLS needs beside <see cref="LibSsl"/>: BIOs, errors, certificates.</summary>
/// <remarks>
/// Safety: as for <see cref="LibSsl"/>. The calls with a suppressed GC transition only read or write one field.
/// </remarks>
internal static unsafe partial class LibCrypto
{
    public const string Library = "libcrypto.so.3";

    /// <summary>The leaf is looked up in the list of revoked certificates of its CA.</summary>
    public const nuint CheckRevoked = 0x4;

    [LibraryImport(Library)]
    public static partial int BIO_get_new_index();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BIO_meth_new(int type, string name);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_read_ex(nint method, delegate* unmanaged[Cdecl]<nint, byte*, nuint, nuint*, int> callback);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_write_ex(nint method, delegate* unmanaged[Cdecl]<nint, byte*, nuint, nuint*, int> callback);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, void*, nint> callback);

    [LibraryImport(Library)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void BIO_set_init(nint bio, int isReady);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void BIO_set_data(nint bio, void* data);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void* BIO_get_data(nint bio);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial void BIO_clear_flags(nint bio, int flags);

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    [LibraryImport(Library)]
    public static partial nuint ERR_get_error();

    [LibraryImport(Library)]
    public static partial nuint ERR_peek_last_error();

    /// <summary>Constant text, or null.</summary>
    [LibraryImport(Library)]
    public static partial byte* ERR_reason_error_string(nuint error);

    /// <summary>Constant text.</summary>
    [LibraryImport(Library)]
    public static partial byte* X509_verify_cert_error_string(nint error);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int X509_VERIFY_PARAM_set1_ip_asc(nint parameters, string address);

    [LibraryImport(Library)]
    public static partial void X509_free(nint certificate);

    /// <summary>Writes the certificate's DER to the memory, and moves the pointer; with null it returns the length.</summary>
    [LibraryImport(Library)]
    public static partial int i2d_X509(nint certificate, byte** output);

    /// <summary>Reads DER from the memory, and moves the pointer; the caller frees the certificate.</summary>
    [LibraryImport(Library)]
    public static partial nint d2i_X509(nint reused, byte** input, nint length);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_new();

    [LibraryImport(Library)]
    public static partial void X509_STORE_CTX_free(nint check);

    /// <summary>The check owns none of the others, which must outlive it.</summary>
    [LibraryImport(Library)]
    public static partial int X509_STORE_CTX_init(nint check, nint store, nint certificate, nint others);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int X509_STORE_CTX_set_default(nint check, string purpose);

    /// <summary>The parameters belong to the check.</summary>
    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_get0_param(nint check);

    [LibraryImport(Library)]
    public static partial int X509_STORE_CTX_get_error(nint check);

    [LibraryImport(Library)]
    public static partial void X509_VERIFY_PARAM_set_auth_level(nint parameters, int level);

    [LibraryImport(Library)]
    public static partial int X509_verify_cert(nint check);

    /// <summary>A list of pointers.</summary>
    [LibraryImport(Library)]
    public static partial nint OPENSSL_sk_new_null();

    [LibraryImport(Library)]
    public static partial int OPENSSL_sk_push(nint list, nint item);

    [LibraryImport(Library)]
    public static partial int OPENSSL_sk_num(nint list);

    [LibraryImport(Library)]
    public static partial nint OPENSSL_sk_value(nint list, int index);

    /// <summary>Frees the list, and none of its items.</summary>
    [LibraryImport(Library)]
    public static partial void OPENSSL_sk_free(nint list);

    [LibraryImport(Library)]
    public static partial nint X509_LOOKUP_file();

    /// <summary>The lookup belongs to the store.</summary>
    [LibraryImport(Library)]
    public static partial nint X509_STORE_add_lookup(nint store, nint method);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int X509_load_crl_file(nint lookup, string file, int type);

    [LibraryImport(Library)]
    public static partial int X509_STORE_set_flags(nint store, nuint flags);
}
