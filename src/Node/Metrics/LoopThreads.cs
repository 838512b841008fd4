using System.Runtime.CompilerServices;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>
/// The CPU time of the threads of event loops, as the kernel counts it: the loops do nothing for it. Each loop is asked once for its
/// thread.
/// </summary>
internal sealed class LoopThreads
{
    private readonly ConditionalWeakTable<EventLoop, string> _files = []; // the file stat of each loop's thread

    /// <summary>The CPU time of each loop, s; null of a loop that does not answer.</summary>
    public async Task<double?[]> SecondsAsync(IReadOnlyList<EventLoop> loops, TimeSpan patience)
    {
        EventLoop[] unknown = [.. loops.Where(loop => !_files.TryGetValue(loop, out _))];
        if (unknown.Length > 0)
        {
            try
            {
                await Task.WhenAll(unknown.Select(loop => loop.RunAsync(() => _files.AddOrUpdate(loop, OwnFile())))).WaitAsync(
                    patience, NodeClock.Instance);
            }
            catch (TimeoutException)
            {
                // a loop that is stuck is asked again for the next sample
            }
        }

        return [.. loops.Select(loop => _files.TryGetValue(loop, out string? file) ? ProcessTimes.Read(file)?.CpuSeconds : null)];
    }

    /// <summary>The link is <c>PROCESS/task/THREAD</c>.</summary>
    private static string OwnFile() => $"/proc/{new FileInfo("/proc/thread-self").LinkTarget}/stat";
}
