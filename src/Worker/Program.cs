using System.Net.Sockets;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Worker;
using Cocaine.Fast.Worker.Serving;
using Microsoft.Extensions.Logging.Abstractions;

// The worker process of a .NET app: --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE
Dictionary<string, string> options = [];
int next = 0;
for (; next + 1 < args.Length && args[next].StartsWith("--", StringComparison.Ordinal); next += 2)
{
    options[args[next][2..]] = args[next + 1];
}

if (next >= args.Length || !options.ContainsKey("uuid") || !options.ContainsKey("endpoint"))
{
    Console.Error.WriteLine("a worker is started by the node: --app NAME --uuid UUID --endpoint PATH --locator HOST:PORT --protocol 1 SOURCE");
    return 2;
}

AppHost app;
try
{
    app = AppHost.Load(args[next], new Cocaine.Fast.Worker.AppContext(options.GetValueOrDefault("app", ""), options["uuid"]));
}
catch (AppLoadException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
socket.Connect(new UnixDomainSocketEndPoint(options["endpoint"]));
bool pipe = Environment.GetEnvironmentVariable("COCAINE_PIPE") != "0";
MemorySink handshake = new(128);
MessageWriter.WriteHandshake(handshake, options["uuid"], pipe);
socket.Send(handshake.Written);
int descriptor = (int)socket.Handle;
if (pipe)
{
    byte[] answer = new byte[64];
    int[] descriptors = new int[DescriptorPassing.MaxDescriptors];
    int count = DescriptorPassing.Receive(descriptor, answer, descriptors, out int passed);
    if (count <= 0)
    {
        return (int)WorkerExit.Abandoned;
    }

    if (passed == 3)
    {
        using Segment segment = Segment.Open(descriptors[0]);
        using EventDescriptor ownBell = new(descriptors[1]);
        using EventDescriptor nodeBell = new(descriptors[2]);
        segment.CloseDescriptor();
        return (int)new RingWorker(app, segment, ownBell, nodeBell, descriptor).Run();
    }
}

socket.Blocking = false;
using EventLoop loop = new(NullLogger.Instance);
return (int)SocketWorker.Run(loop, descriptor, app);
