using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The memory that all sessions of a thread share: a call uses it and leaves nothing in it.</summary>
/// <remarks>Safety: the memory is native, and is freed when the thread's object is gone. Nobody else has its addresses then.</remarks>
internal sealed unsafe class TlsScratch
{
    /// <summary>Received cipher text: as much as a socket usually has.</summary>
    public const int InputBytes = 64 << 10;

    /// <summary>Cipher text that a read or a handshake makes: alerts, key updates, or a certificate chain.</summary>
    public const int OutputBytes = 64 << 10;

    /// <summary>Plain text of one record that lies in several pieces.</summary>
    public const int GatherBytes = 16 << 10;

    [ThreadStatic]
    private static TlsScratch? _own;

    private readonly byte* _memory = (byte*)NativeMemory.Alloc(InputBytes + OutputBytes + GatherBytes);

    private TlsScratch()
    {
    }

    ~TlsScratch() => NativeMemory.Free(_memory);

    /// <summary>The memory of this thread.</summary>
    public static TlsScratch Own => _own ??= new TlsScratch();

    public byte* Input => _memory;

    public byte* Output => _memory + InputBytes;

    public byte* Gather => _memory + InputBytes + OutputBytes;
}
