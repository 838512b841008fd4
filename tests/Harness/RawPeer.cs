using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Harness;

/// <summary>A peer of a raw-server: a plain socket whose every wait has an end.</summary>
internal sealed class RawPeer : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private RawPeer(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public static RawPeer Connect(RunningApp app, int endpoint = 0)
    {
        string at = app.Endpoints[endpoint].Endpoint;
        bool unix = at.StartsWith("ipc://", StringComparison.Ordinal);
        Socket socket = unix ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(unix ? new UnixDomainSocketEndPoint(at["ipc://".Length..]) : IPEndPoint.Parse(at["tcp://".Length..]));
        socket.ReceiveTimeout = socket.SendTimeout = (int)Limit.TotalMilliseconds;
        return new RawPeer(socket);
    }

    public static AppManifest App(string task, string framing, EngineSettings? engine = null, string endpoint = "tcp://127.0.0.1:0",
        params (string Key, object Value)[] keys) => Task(TestApps.Python("raw.py", engine), task, framing, endpoint, keys);

    public static AppManifest DotNetApp(string task, string framing, EngineSettings? engine = null, string endpoint = "tcp://127.0.0.1:0",
        params (string Key, object Value)[] keys) => Task(TestApps.DotNet(BackendType.Thread, engine), task, framing, endpoint, keys);

    public void Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    public void EndWriting() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Resets the connection.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    /// <summary>Reads so many bytes.</summary>
    public byte[] Read(int count)
    {
        byte[] bytes = new byte[count];
        ReadInto(bytes);
        return bytes;
    }

    /// <summary>Fills the buffer.</summary>
    public void ReadInto(byte[] bytes)
    {
        for (int got = 0; got < bytes.Length;)
        {
            int received = Socket.Receive(bytes.AsSpan(got));
            if (received == 0)
            {
                Assert.Fail($"the node ended after {got} of {bytes.Length} bytes: {Encoding.UTF8.GetString(bytes, 0, got)}");
            }

            got += received;
        }
    }

    public string ReadLine()
    {
        List<byte> line = [];
        byte[] one = new byte[1];
        while (Socket.Receive(one) > 0)
        {
            if (one[0] == '\n')
            {
                return Encoding.UTF8.GetString([.. line]);
            }

            line.Add(one[0]);
        }

        throw new EndOfStreamException($"the node ended within a line: {Encoding.UTF8.GetString([.. line])}");
    }

    /// <summary>Reads up to the end.</summary>
    public byte[] ReadToEnd()
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[64 << 10];
        while (Socket.Receive(buffer) is > 0 and int count)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    public string ReadTextToEnd() => Encoding.UTF8.GetString(ReadToEnd());

    public void Dispose() => Socket.Dispose();

    private static AppManifest Task(AppManifest app, string task, string framing, string endpoint, (string Key, object Value)[] keys)
    {
        Dictionary<string, object> values = new() { ["framing"] = framing };
        foreach ((string key, object value) in keys)
        {
            values[key] = value;
        }

        return app with { Tasks = [new TaskManifest { Name = task, DriverType = "raw-server", Endpoints = [endpoint], Keys = values }] };
    }
}
