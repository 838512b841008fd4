namespace Cocaine.Fast.Transport.Tls;

/// <summary>Verifies the certificates of clients that are connected, as their handshakes would now.</summary>
/// <remarks>Safety: what is made here is freed here; the store belongs to its context, which the caller holds.</remarks>
internal static unsafe class ClientTrust
{
    /// <summary>The reason for which the CAs and lists of a context refuse a certificate; null when they take it.</summary>
    /// <param name="context">The context of a server.</param>
    /// <param name="chain">The certificate, and behind it those that lead to the CA: DER.</param>
    public static string? ProblemOf(nint context, IReadOnlyList<byte[]> chain)
    {
        nint others = LibCrypto.OPENSSL_sk_new_null();
        nint check = LibCrypto.X509_STORE_CTX_new();
        List<nint> read = [];
        try
        {
            foreach (byte[] der in chain)
            {
                fixed (byte* start = der)
                {
                    byte* at = start;
                    read.Add(LibCrypto.d2i_X509(0, &at, der.Length));
                }
            }

            if (read.Count == 0 || read.Contains(0) || others == 0 || check == 0)
            {
                return "the certificate cannot be read";
            }

            read.ForEach(one => _ = LibCrypto.OPENSSL_sk_push(others, one));
            if (LibCrypto.X509_STORE_CTX_init(check, LibSsl.SSL_CTX_get_cert_store(context), read[0], others) != 1
                || LibCrypto.X509_STORE_CTX_set_default(check, "ssl_client") != 1)
            {
                return TlsErrors.TakeFirst("no memory");
            }

            LibCrypto.X509_VERIFY_PARAM_set_auth_level(LibCrypto.X509_STORE_CTX_get0_param(check), ContextMaker.SecurityLevel);
            return LibCrypto.X509_verify_cert(check) == 1 ? null
                : TlsErrors.OfCertificate(LibCrypto.X509_STORE_CTX_get_error(check)) ?? "certificate verify failed";
        }
        finally
        {
            LibCrypto.X509_STORE_CTX_free(check);
            LibCrypto.OPENSSL_sk_free(others);
            read.ForEach(LibCrypto.X509_free); // null is none to free
            LibCrypto.ERR_clear_error();
        }
    }

    /// <summary>The certificates of the client of a session, its own first, without the root; empty when it has shown none.</summary>
    public static List<byte[]> ChainOf(nint session)
    {
        List<byte[]> chain = [];
        nint verified = LibSsl.SSL_get0_verified_chain(session); // belongs to the session
        int count = verified == 0 ? 0 : LibCrypto.OPENSSL_sk_num(verified);
        for (int i = 0; i < Math.Max(count - 1, Math.Min(count, 1)); i++)
        {
            nint certificate = LibCrypto.OPENSSL_sk_value(verified, i);
            byte[] der = new byte[LibCrypto.i2d_X509(certificate, null)];
            fixed (byte* start = der)
            {
                byte* at = start;
                _ = LibCrypto.i2d_X509(certificate, &at);
            }

            chain.Add(der);
        }

        return chain;
    }
}
