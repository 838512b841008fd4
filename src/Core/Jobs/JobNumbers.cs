namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The numbers of an app's jobs on one loop. An app on several loops shares the numbers out: each loop takes every n-th number, with n a
/// power of two. So no two loops give the same number, and the loops' records have different places in the ledger, without a word between
/// the loops. Lives on the loop.
/// </summary>
/// <param name="loop">The loop's place among the app's loops.</param>
/// <param name="step">The distance between two numbers of a loop, a power of two, more than <paramref name="loop"/>.</param>
internal sealed class JobNumbers(int loop, int step)
{
    private ulong _mask = (ulong)step - 1;

    /// <summary>The numbers of an app on one loop.</summary>
    public static JobNumbers All { get; } = new(0, 1);

    /// <summary>The least number of this loop above another number.</summary>
    public ulong After(ulong last) => last + 1 + (((ulong)loop - last - 1) & _mask);

    /// <summary>
    /// The app gets more loops: this one leaves numbers to them. They begin above all numbers that this loop has given by then.
    /// </summary>
    public void Widen(int step) => _mask = Math.Max(_mask, (ulong)step - 1);
}
