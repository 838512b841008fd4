namespace Cocaine.Fast.Core.Slaves;

/// <summary>Says when to look at a silence.</summary>
internal static class SilenceLook
{
    /// <summary>
    /// The time of the next look at a silence: after three quarters of the timeout, and at its end. The loop notices that it was stopped
    /// when it wakes later than it meant to. So a stop before the first look does not count. After the first look a quarter of the timeout
    /// remains, in which the loop has certainly listened and a slave beats.
    /// </summary>
    public static long NextMs(long heardMs, long timeoutMs, long listenedMs)
    {
        long look = heardMs + timeoutMs - (timeoutMs / 4);
        return listenedMs < look ? look : heardMs + timeoutMs;
    }
}
