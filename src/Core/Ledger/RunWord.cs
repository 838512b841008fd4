namespace Cocaine.Fast.Core.Ledger;

/// <summary>
/// The word of a record with the slave (bits 0 to 31), the number of runs begun (32 to 47), and the time for which the job stood in the
/// ring of that slave before its last run (48 to 63): 0 when it did not stand there, 65535 while it stands there, otherwise 1 + µs.
/// </summary>
/// <param name="Value">The word.</param>
internal readonly record struct RunWord(ulong Value)
{
    private const int StandsNow = ushort.MaxValue;

    public uint Slave => (uint)Value;

    public int Runs => (ushort)(Value >> 32);

    public bool HasSlave => Runs > 0 || IsPlaced;

    public bool IsPlaced => Stood == StandsNow;

    public long? StoodNs => Stood is 0 or StandsNow ? null : (Stood - 1) * 1000L;

    private int Stood => (ushort)(Value >> 48);

    /// <summary>The word of a job whose run begins; a time below 0 is that of a job which did not stand in the ring.</summary>
    public static RunWord Of(uint slave, int run, long stoodNs) =>
        Of(slave, Math.Clamp(run, 1, ushort.MaxValue), stoodNs < 0 ? 0 : (int)Math.Min(1 + (stoodNs / 1000), StandsNow - 1));

    /// <summary>The same job while it stands in the ring of a slave. The slave of an earlier run stays.</summary>
    public RunWord PlacedOn(uint slave) => Of(Runs > 0 ? Slave : slave, Runs, StandsNow);

    /// <summary>The same job when it does not stand there any more, with so many runs begun.</summary>
    public RunWord TakenBack(int runs) => runs == 0 ? default : Of(Slave, Math.Min(runs, ushort.MaxValue), 0);

    private static RunWord Of(uint slave, int runs, int stood) => new(slave | ((ulong)(ushort)runs << 32) | ((ulong)(ushort)stood << 48));
}
