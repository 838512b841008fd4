using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The memory that a session reads cipher text from and writes it to, during one call.</summary>
/// <remarks>Safety: a session clears the addresses when its call ends, so none outlives the memory.</remarks>
internal unsafe struct TlsWindow
{
    /// <summary>The next byte from the peer.</summary>
    public byte* In;

    /// <summary>Bytes from the peer that were not read yet.</summary>
    public nuint InBytes;

    /// <summary>The place for bytes to the peer.</summary>
    public byte* Out;

    /// <summary>Bytes for the peer so far.</summary>
    public nuint OutBytes;

    /// <summary>Bytes that there is room for.</summary>
    public nuint OutCapacity;

    /// <summary>The session waits for the rest of a record.</summary>
    public bool IsWithinRecord;
}

/// <summary>
/// The way between OpenSSL and memory. A session reads received bytes where they lie, and writes into the block that will be sent; the
/// memory BIOs of OpenSSL would copy both once more.
/// </summary>
/// <remarks>
/// Safety: a BIO's data is its session's <see cref="TlsWindow"/>, which lives as long as the session. The callbacks run inside a call of
/// that session, on its thread, and never throw.
/// </remarks>
internal static unsafe class MemoryBio
{
    /// <summary>Flags of a BIO: what to wait for, and that waiting helps.</summary>
    private const int WaitsForRead = 0x01, WaitsForWrite = 0x02, MayRetry = 0x08, AllFlags = 0x0f;

    /// <summary>The bit of a type that is a source and a sink.</summary>
    private const int SourceAndSink = 0x0400;

    private const int FlushCommand = 11;

    /// <summary>The head of a record is read by itself, before the length of the rest is known.</summary>
    private const int RecordHeadBytes = 5;

    private static readonly nint Method = MakeMethod();

    /// <summary>Makes a BIO over the window; a session owns it afterwards. 0 when there is no memory.</summary>
    public static nint New(TlsWindow* window)
    {
        nint bio = LibCrypto.BIO_new(Method);
        if (bio != 0)
        {
            LibCrypto.BIO_set_data(bio, window);
            LibCrypto.BIO_set_init(bio, 1);
        }

        return bio;
    }

    private static nint MakeMethod()
    {
        nint method = LibCrypto.BIO_meth_new(LibCrypto.BIO_get_new_index() | SourceAndSink, "cocaine-fast");
        _ = LibCrypto.BIO_meth_set_read_ex(method, &Read);
        _ = LibCrypto.BIO_meth_set_write_ex(method, &Write);
        _ = LibCrypto.BIO_meth_set_ctrl(method, &Control);
        return method;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* data, nuint wanted, nuint* read)
    {
        TlsWindow* window = (TlsWindow*)LibCrypto.BIO_get_data(bio);
        LibCrypto.BIO_clear_flags(bio, AllFlags);
        nuint count = Math.Min(wanted, window->InBytes);
        *read = count;
        window->IsWithinRecord = count < wanted && (count > 0 || wanted != RecordHeadBytes || window->IsWithinRecord);
        if (count == 0)
        {
            LibCrypto.BIO_set_flags(bio, WaitsForRead | MayRetry);
            return 0;
        }

        Buffer.MemoryCopy(window->In, data, count, count);
        window->In += count;
        window->InBytes -= count;
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* data, nuint bytes, nuint* written)
    {
        TlsWindow* window = (TlsWindow*)LibCrypto.BIO_get_data(bio);
        LibCrypto.BIO_clear_flags(bio, AllFlags);
        if (window->OutCapacity - window->OutBytes < bytes)
        {
            *written = 0; // the callers offer room for all that a call can write, so the session ends here
            LibCrypto.BIO_set_flags(bio, WaitsForWrite | MayRetry);
            return 0;
        }

        Buffer.MemoryCopy(data, window->Out + window->OutBytes, bytes, bytes);
        window->OutBytes += bytes;
        *written = bytes;
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Control(nint bio, int command, nint number, void* pointer) => command == FlushCommand ? 1 : 0;
}
