using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Tests.Loop;

/// <summary>Calls on the thread of a loop, which everything that lives on the loop wants.</summary>
internal static class OnLoopThread
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static void Run(EventLoop loop, Action action) => Run(loop, () =>
    {
        action();
        return true;
    });

    /// <summary>Waits for the call; what it threw is thrown here.</summary>
    public static T Run<T>(EventLoop loop, Func<T> action)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            try
            {
                done.SetResult(action());
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        });
        return done.Task.WaitAsync(Limit).GetAwaiter().GetResult();
    }
}
