using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Raw;

/// <summary>The raw-server driver as manifests name it.</summary>
internal static class RawDriver
{
    public static DriverEntry Entry { get; } = new(
        "raw-server",
        [
            ListeningKeys.Endpoint,
            ListeningKeys.Backlog,
            ListeningKeys.Connections,
            new(
                "framing", KeyKind.Text,
                "the content of one job: a connection, a line, a frame with its length, or the bytes of one receive", "stream")
            {
                Choices = ["stream", "line", "length32", "none"],
            },
            new("max-frame", KeyKind.Bytes, "longest line or frame, and longest answer of length32", "1MiB") { Min = 1, Max = 64 << 20 },
            new("idle-timeout", KeyKind.Duration, "silence after which a connection is closed; 0 = never", "60"),
            ListeningKeys.Mode,
            ListeningKeys.Tls,
            TaskGuard.Allow,
        ],
        static context => new RawServer(context, Connect))
    {
        Check = ListeningKeys.Check,
    };

    private static RawConnection Connect(RawServer server, int descriptor) => server.Framing == Framing.Stream
        ? new StreamConnection(server, descriptor) : new FrameConnection(server, descriptor);
}
