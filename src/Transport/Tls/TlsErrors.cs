using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>Texts of OpenSSL's errors. The errors of a call wait in a queue of the thread; a call that fails must read its own.</summary>
/// <remarks>Safety: the texts are constants of the library.</remarks>
internal static unsafe class TlsErrors
{
    /// <summary>The verification found nothing wrong.</summary>
    private const int VerifiedOk = 0;

    /// <summary>The first error of this thread's queue, which is the cause of the others. Empties the queue.</summary>
    public static string TakeFirst(string otherwise) => Take(LibCrypto.ERR_get_error(), otherwise);

    /// <summary>The last error of this thread's queue, which says how far a session came. Empties the queue.</summary>
    public static string TakeLast(string otherwise) => Take(LibCrypto.ERR_peek_last_error(), otherwise);

    /// <summary>The reason for which the peer's certificate was refused; null when it was not.</summary>
    public static string? OfVerification(nint session) => OfCertificate(LibSsl.SSL_get_verify_result(session));

    /// <summary>The text of a result of a verification; null when nothing is wrong.</summary>
    public static string? OfCertificate(nint result) =>
        result == VerifiedOk ? null : Marshal.PtrToStringUTF8((nint)LibCrypto.X509_verify_cert_error_string(result));

    private static string Take(nuint error, string otherwise)
    {
        LibCrypto.ERR_clear_error();
        return error == 0 ? otherwise : Marshal.PtrToStringUTF8((nint)LibCrypto.ERR_reason_error_string(error)) ?? otherwise;
    }
}
