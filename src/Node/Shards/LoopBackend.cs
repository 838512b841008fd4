using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Shards;

/// <summary>A loop for one shard of a version, and the maker of the shard's slaves.</summary>
internal sealed record LoopBackend(EventLoop Loop, ISlaveBackend Backend);
