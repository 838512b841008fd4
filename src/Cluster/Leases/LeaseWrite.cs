namespace Cocaine.Fast.Cluster.Leases;

/// <summary>A write that a lease wants.</summary>
/// <param name="Record">The record to write.</param>
/// <param name="Revision">The engine's revision that must still be there; 0 when there must be no record.</param>
/// <param name="SentMs">When it is sent, by this node's own clock: the lease is valid from then on, not from the answer on.</param>
/// <param name="Claim">The task and the time that are claimed with this write; null for a renewal.</param>
internal sealed record LeaseWrite(LeaseRecord Record, ulong Revision, long SentMs, (string Task, long TimeMs)? Claim);
