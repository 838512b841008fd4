namespace Cocaine.Fast.Core.Slaves;

/// <summary>A backend's answer to the pool that wants to launch slaves.</summary>
/// <param name="Slaves">How many may be launched now: 0 to as many as were asked for.</param>
/// <param name="Reason">
/// The reason for fewer slaves, for the log and for <c>info</c>: the scarce thing, its amount, and the remedy ("1018 of 1024
/// descriptors are in use: raise the limit of open files, or lower engine.pool-limit"). Empty when there is room for all.
/// </param>
internal readonly record struct SlaveRoom(int Slaves, string Reason = "");
