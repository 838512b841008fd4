using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Rings;

namespace Cocaine.Fast.Core.Tests.Rings;

/// <summary>A ring in memory of the test's own.</summary>
internal sealed unsafe class PrivateRing : IDisposable
{
    private readonly byte* _memory;
    private readonly int _capacity;

    public PrivateRing(int capacity)
    {
        _capacity = capacity;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(RingDescriptor.ControlSizeBytes + capacity), 128);
        new Span<byte>(_memory, RingDescriptor.ControlSizeBytes + capacity).Clear();
        View = new RingView(_memory, _memory + RingDescriptor.ControlSizeBytes, capacity);
    }

    public RingView View { get; }

    public void Scribble(Random random)
    {
        for (int i = random.Next(1, 50); i > 0; i--)
        {
            _memory[RingDescriptor.ControlSizeBytes + random.Next(_capacity)] = (byte)random.Next(256);
        }

        if (random.Next(3) == 0)
        {
            View.Tail = random.NextInt64(-10_000, 10_000);
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
