
namespace Cocaine.Fast.Transport.Linux;

/// <summary>Passes descriptors over a Unix socket: SCM_RIGHTS of unix(7).</summary>
/// <remarks>Safety: control blocks are on the stack and sized for <see cref="MaxDescriptors"/>; received descriptors belong to the
/// caller and are close-on-exec.</remarks>
internal static unsafe class DescriptorPassing
{
    public const int MaxDescriptors = 4;

    private const int SocketLevel = 1, Rights = 1, NoSignal = 0x4000, CloseOnExec = 0x40000000;
    private const int ControlHeaderBytes = 16; // struct cmsghdr of 64-bit Linux: size_t length, int level, int type
    private const int ControlBytes = ControlHeaderBytes + (MaxDescriptors * sizeof(int));

    /// <summary>Sends bytes, with descriptors on the first of them. False when the socket did not take all bytes at once.</summary>
    public static bool TrySend(int socket, ReadOnlySpan<byte> data, ReadOnlySpan<int> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors);
        long* control = stackalloc long[ControlBytes / sizeof(long)];
        control[0] = ControlHeaderBytes + (descriptors.Length * sizeof(int));
        ((int*)control)[2] = SocketLevel;
        ((int*)control)[3] = Rights;
        descriptors.CopyTo(new Span<int>((int*)control + 4, MaxDescriptors));
        fixed (byte* start = data)
        {
            IoVector vector = new() { Base = start, Length = data.Length };
            MessageHeader message = new()
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = ControlHeaderBytes + (((descriptors.Length * sizeof(int)) + 7) & ~7),
            };
            return LibC.sendmsg(socket, &message, NoSignal) == data.Length;
        }
    }

    /// <summary>
    /// Receives bytes and the descriptors that came with them. Returns the bytes, 0 at the end, -1 with errno set on failure.
    /// </summary>
    public static int Receive(int socket, Span<byte> data, Span<int> descriptors, out int descriptorCount)
    {
        long* control = stackalloc long[ControlBytes / sizeof(long)];
        fixed (byte* start = data)
        {
            IoVector vector = new() { Base = start, Length = data.Length };
            MessageHeader message = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlBytes };
            nint count = LibC.recvmsg(socket, &message, CloseOnExec);
            descriptorCount = 0;
            if (count > 0 && message.ControlLength >= ControlHeaderBytes && ((int*)control)[2] == SocketLevel
                && ((int*)control)[3] == Rights)
            {
                int came = (int)((control[0] - ControlHeaderBytes) / sizeof(int));
                for (int i = 0; i < came; i++)
                {
                    int descriptor = ((int*)control)[4 + i];
                    if (descriptorCount < descriptors.Length)
                    {
                        descriptors[descriptorCount++] = descriptor;
                    }
                    else
                    {
                        _ = LibC.close(descriptor);
                    }
                }
            }

            return (int)count;
        }
    }
}
