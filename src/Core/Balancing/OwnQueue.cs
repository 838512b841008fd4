namespace Cocaine.Fast.Core.Balancing;

/// <summary>The queue that a job finds on its own node when no slave takes it at once.</summary>
/// <param name="Ahead">The jobs that wait before it.</param>
/// <param name="Slots">How many jobs may run at once, 1 or more.</param>
/// <param name="MeanNs">The mean time of a job on a slave, ns; 0 before the first one.</param>
/// <param name="IsRefused">The job cannot wait here: the queue is full, or no slave comes up.</param>
internal readonly record struct OwnQueue(int Ahead, int Slots, long MeanNs, bool IsRefused);
