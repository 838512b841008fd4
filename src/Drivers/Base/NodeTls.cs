using Cocaine.Fast.Transport.Tls;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>The node's TLS, which its apps share.</summary>
/// <param name="Doors">Null on a node without certificates.</param>
internal sealed record NodeTls(TlsDoors? Doors);
