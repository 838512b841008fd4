using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Backends.Processes;

/// <summary>The time that a hung worker has before it is killed, to print where it hangs.</summary>
/// <remarks>
/// JavaScript has no handler that runs while its loop is busy. At SIGINT the runtime itself shows the stack of a busy loop and ends the
/// worker (<c>--trace-sigint</c>). So such a worker gets SIGINT too, in the middle of its time: a worker that only waits has listed its
/// calls by then.
/// </remarks>
/// <param name="loop">The engine's loop.</param>
/// <param name="isInterrupted">The worker gets SIGINT too.</param>
/// <param name="kill">Ends the worker.</param>
internal sealed class LastWords(EventLoop loop, bool isInterrupted, Action kill) : WheelTimer
{
    /// <summary>
    /// A stack usually takes about a millisecond to print, and longer where memory is swapped. The slave's place waits for it.
    /// </summary>
    private const int PatienceMs = 500;

    private int _process;       // valid while the timer is armed
    private bool _interrupts;   // the timer's next end sends SIGINT and does not end the worker yet

    /// <summary>Asks the worker for its stacks, by SIGUSR2.</summary>
    public void Begin(int process)
    {
        _process = process;
        _interrupts = isInterrupted;
        _ = LibC.kill(process, LibC.SIGUSR2);
        loop.Timers.Arm(this, loop.NowMs + (_interrupts ? PatienceMs / 2 : PatienceMs));
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        if (!_interrupts)
        {
            kill();
            return;
        }

        _interrupts = false;
        _ = LibC.kill(_process, LibC.SIGINT);
        loop.Timers.Arm(this, nowMs + (PatienceMs / 2));
    }
}
