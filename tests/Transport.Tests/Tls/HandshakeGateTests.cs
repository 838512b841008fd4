using System.Net;
using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Transport.Tests.Tls;

/// <summary>How many handshakes an address may start.</summary>
public class HandshakeGateTests
{
    private const int Burst = 100, PerS = 50;

    /// <summary>Each loop asks with the time of its own turn: a loop that is late must not make a moment count twice.</summary>
    [Fact]
    public void Loops_with_different_times_start_no_more_than_one_loop()
    {
        HandshakeGate gate = new();
        Assert.True(gate.TryEnter(IPAddress.Loopback, 0));
        int started = 0;
        for (long nowMs = 0; nowMs < 10_000; nowMs++)
        {
            started += gate.TryStart(IPAddress.Loopback, nowMs) ? 1 : 0;
            started += gate.TryStart(IPAddress.Loopback, nowMs - 7) ? 1 : 0;
        }

        Assert.InRange(started, (Burst + (10 * PerS)) - 1, Burst + (10 * PerS) + 1);
    }
}
