using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>The stock .NET ways to give bytes back: what a program costs before it does anything.</summary>
internal static class EchoServers
{
    private const int ReceiveBytes = 64 << 10;

    /// <summary>Runs one of them until standard input ends.</summary>
    public static async Task RunAsync(Func<Socket, Task> serve)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4096);
        Console.WriteLine($"ready tcp://{listener.LocalEndPoint}");
        _ = Task.Run(async () =>
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync();
                socket.NoDelay = true;
                _ = Task.Run(() => serve(socket));
            }
        });
        await Console.In.ReadToEndAsync();
    }

    /// <summary>System.IO.Pipelines over a socket, as its documentation shows: one task fills the pipe, another empties it.</summary>
    public static async Task PipelinesAsync(Socket socket)
    {
        Pipe pipe = new();
        Task filling = FillAsync(socket, pipe.Writer);
        while (true)
        {
            ReadResult read = await pipe.Reader.ReadAsync();
            foreach (ReadOnlyMemory<byte> part in read.Buffer)
            {
                for (ReadOnlyMemory<byte> rest = part; !rest.IsEmpty;)
                {
                    rest = rest[await socket.SendAsync(rest)..];
                }
            }

            pipe.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await filling;
        socket.Dispose();
    }

    /// <summary>SocketAsyncEventArgs, one for each connection.</summary>
    public static Task EventArgsAsync(Socket socket)
    {
        SocketAsyncEventArgs args = new();
        args.SetBuffer(GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true), 0, ReceiveBytes);
        TaskCompletionSource over = new();
        int sending = 0; // bytes still to send; 0 = receiving
        int offset = 0;
        args.Completed += (_, _) => Continue();
        if (!socket.ReceiveAsync(args))
        {
            Continue();
        }

        return over.Task;

        void Continue()
        {
            do
            {
                if (args.SocketError != SocketError.Success || args.BytesTransferred == 0)
                {
                    socket.Dispose();
                    over.TrySetResult();
                    return;
                }

                (sending, offset) = sending == 0 ? (args.BytesTransferred, 0)
                    : (sending - args.BytesTransferred, offset + args.BytesTransferred);
                args.SetBuffer(sending > 0 ? offset : 0, sending > 0 ? sending : ReceiveBytes);
            }
            while (!(sending > 0 ? socket.SendAsync(args) : socket.ReceiveAsync(args)));
        }
    }

    private static async Task FillAsync(Socket socket, PipeWriter writer)
    {
        while (true)
        {
            int count = await socket.ReceiveAsync(writer.GetMemory(), SocketFlags.None);
            if (count == 0)
            {
                break;
            }

            writer.Advance(count);
            await writer.FlushAsync();
        }

        await writer.CompleteAsync();
    }
}
