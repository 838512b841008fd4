using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>Sends from lent memory.</summary>
internal interface IBorrower
{
    /// <summary>Sends what lies in the lent memory, or copies it, and touches the memory no more. Must not end any connection.</summary>
    void GiveBack();
}

/// <summary>
/// The bytes of a slave's ring, lent to connections while the slave's records are taken. So a long answer goes from the ring into the
/// socket without a copy, and all answers of a connection go together. Lives on a loop's thread.
/// </summary>
/// <remarks>
/// Safety: the lender keeps the memory, and gives none of it to the ring's writer, from <see cref="Begin"/> until <see cref="End"/> has
/// returned. A hostile writer may change the bytes meanwhile; their number is the borrower's own.
/// </remarks>
internal sealed unsafe class Lending
{
    private readonly List<IBorrower> _borrowers = [];
    private byte* _start;
    private long _length; // 0 when nothing is lent

    /// <summary>Lends a ring's bytes.</summary>
    public void Begin(byte* start, long length)
    {
        _start = start;
        _length = length;
    }

    /// <summary>The bytes are lent, and stay where they are until the borrower is asked for them.</summary>
    public bool Has(ReadOnlySpan<byte> bytes)
    {
        long offset = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)) - _start;
        return offset >= 0 && offset + bytes.Length <= _length;
    }

    /// <summary>A borrower has begun to borrow.</summary>
    public void Add(IBorrower borrower) => _borrowers.Add(borrower);

    /// <summary>Ends the loan.</summary>
    public void End()
    {
        _length = 0;
        foreach (IBorrower borrower in _borrowers)
        {
            borrower.GiveBack();
        }

        _borrowers.Clear();
    }
}
