using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>An opening on its way to the worker that opens it, and back to its loop with the result.</summary>
/// <param name="loop">The loop of the caller.</param>
/// <param name="opening">The opening: a copy. Without one the work only waits for the openings before it.</param>
/// <param name="onDone">Called once on the loop.</param>
internal sealed class OpeningWork(EventLoop loop, byte[] opening, Action<SealFault, SealSession?> onDone) : LoopWork
{
    private SealFault _fault;
    private SealSession? _session;

    /// <summary>On the worker: opens, and posts the result.</summary>
    public void Open(SealGate gate, TimeProvider clock)
    {
        _fault = SealFault.CannotOpen;
        try
        {
            _fault = opening.Length == 0 ? SealFault.None
                : gate.Open(opening, clock.GetUtcNow().ToUnixTimeMilliseconds(), Clock.MsOf(Clock.NowNs), out _session);
        }
        catch (IOException)
        {
            _fault = SealFault.Full; // the caller may try again
            throw;
        }
        finally
        {
            loop.Post(this); // also after an exception: the caller waits
        }
    }

    public override void Run() => onDone(_fault, _session);
}
