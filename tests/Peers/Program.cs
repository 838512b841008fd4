using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Peers;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

// The other process of the ring tests: connects to a Unix socket, gets a segment and two bells, and writes numbers into the
// response ring, a record each.
if (args is ["write-ledger", var ledger])
{
    return LedgerWriter.Run(ledger);
}

if (args is not ["write-numbers", var path, var countText])
{
    Console.Error.WriteLine("Peers write-numbers SOCKET COUNT | write-ledger FILE");
    return 2;
}

using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
socket.Connect(new UnixDomainSocketEndPoint(path));
int[] descriptors = new int[DescriptorPassing.MaxDescriptors];
DescriptorPassing.Receive((int)socket.Handle, new byte[1], descriptors, out int passed);
if (passed != 3)
{
    return 1;
}

using Segment segment = Segment.Open(descriptors[0]);
using EventDescriptor ownBell = new(descriptors[1]);
using EventDescriptor readerBell = new(descriptors[2]);
ByteRingWriter writer = new(segment.Responses);
using Epoll epoll = new();
epoll.Watch(ownBell.Descriptor, Epoll.In | Epoll.EdgeTriggered, 0);
long count = long.Parse(countText, CultureInfo.InvariantCulture);
for (long i = 0; i < count; i++)
{
    Span<byte> to = writer.BeginMessage(sizeof(long));
    MemoryMarshal.Write(to, in i);
    writer.EndMessage(sizeof(long));
    Publish();
    while (!writer.DrainOverflow())
    {
        Publish();
        if (writer.TryWaitForRoom() && epoll.Wait(30_000) == 0)
        {
            Console.Error.WriteLine("a wake-up was lost");
            return 1;
        }
    }

    Publish();
}

return 0;

void Publish()
{
    if (writer.Publish())
    {
        readerBell.Ring();
    }
}
