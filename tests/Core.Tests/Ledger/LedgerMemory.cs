using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Ledger;

namespace Cocaine.Fast.Core.Tests.Ledger;

/// <summary>A ledger's memory without a file.</summary>
/// <remarks>Safety: private memory of the file's size, freed when the test has ended.</remarks>
internal sealed unsafe class LedgerMemory : IDisposable
{
    private readonly byte* _start;
    private readonly LedgerHeader _header;

    public LedgerMemory(int records, TimeProvider? clock = null)
    {
        _start = (byte*)NativeMemory.AllocZeroed((nuint)LedgerLayout.FileSizeBytes(records));
        _header = new LedgerHeader("app", records, 1, 0, 0, 1, 0);
        _header.Write(Page);
        Ring = new LedgerRing(_start, records, 0, clock ?? TimeProvider.System);
    }

    public LedgerRing Ring { get; }

    public Span<byte> Page => new(_start, LedgerLayout.HeaderSizeBytes);

    public LedgerReader Reader() => new(_start, _header);

    public Span<byte> Record(int slot) => new(
        _start + LedgerLayout.HeaderSizeBytes + ((long)slot * LedgerLayout.RecordSizeBytes), LedgerLayout.RecordSizeBytes);

    public void Dispose() => NativeMemory.Free(_start);
}
