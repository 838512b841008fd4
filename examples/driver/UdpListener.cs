using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Drivers.Custom;

namespace DriverExample;

/// <summary>Each datagram is a job; the chunks of its answer go back to the sender, a datagram each.</summary>
public sealed class UdpListener : CustomDriver
{
    private readonly CancellationTokenSource _stopTaking = new();
    private Socket _socket = null!;
    private long _received, _failed;

    public override IReadOnlyList<string> Endpoints => [$"udp://{_socket.LocalEndPoint}"];

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["received"] = Interlocked.Read(ref _received),
        ["failed"] = Interlocked.Read(ref _failed),
    };

    public override void Start(TaskJobs jobs)
    {
        IPEndPoint address = IPEndPoint.Parse(jobs.Task.GetText("listen"));
        _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.Bind(address);
        }
        catch
        {
            _socket.Dispose();
            throw; // the app does not start, and says why
        }

        _ = Task.Run(() => ReceiveAsync(jobs));
    }

    public override void StopTaking() => _stopTaking.Cancel();

    public override void Close() => _socket.Dispose();

    private async Task ReceiveAsync(TaskJobs jobs)
    {
        byte[] buffer = new byte[65_536];
        EndPoint any = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stopTaking.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult datagram = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, any, _stopTaking.Token);
                Interlocked.Increment(ref _received);
                _ = AnswerAsync(jobs, buffer.AsMemory(0, datagram.ReceivedBytes).ToArray(), datagram.RemoteEndPoint);
            }
            catch (SocketException)
            {
                // A sender that is gone has refused an answer; the socket is as good as before.
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(TaskJobs jobs, byte[] request, EndPoint sender)
    {
        try
        {
            foreach (byte[] chunk in await jobs.CallAsync(request))
            {
                await _socket.SendToAsync(chunk, SocketFlags.None, sender);
            }
        }
        catch (Exception failure) when (failure is JobException or SocketException or ObjectDisposedException)
        {
            Interlocked.Increment(ref _failed); // a full queue, a failed job, a sender that is gone: UDP promises nothing
        }
    }
}
