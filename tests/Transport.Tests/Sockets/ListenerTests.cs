using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tests.Loop;

namespace Cocaine.Fast.Transport.Tests.Sockets;

/// <summary>Listening on real addresses and paths, and what is in the way there.</summary>
public sealed class ListenerTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TestFolder _folder = new();
    private readonly LogLines _log = new();
    private readonly EventLoop _loop;

    public ListenerTests()
    {
        _loop = new EventLoop(_log);
        _loop.Start("test");
    }

    private string Socket => _folder["socket"];

    public void Dispose()
    {
        _loop.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_accepted_goes_to_the_owner_and_after_a_hand_over_to_the_next_one()
    {
        TaskCompletionSource<int> first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<int> second = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using Listener listener = Bind("tcp://127.0.0.1:0", first.SetResult);
        using Socket one = await ConnectAsync(listener.Address); // in the backlog until it is opened
        OnLoopThread.Run(_loop, listener.Open);
        _ = LibC.close(await first.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        OnLoopThread.Run(_loop, () => listener.HandTo(second.SetResult, backlog: 1));
        using Socket other = await ConnectAsync(listener.Address);
        _ = LibC.close(await second.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        OnLoopThread.Run(_loop, listener.Dispose);
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(listener.Address));
    }

    [Fact]
    public void All_addresses_of_an_interface_have_one_free_port()
    {
        IReadOnlyList<Listener> listeners = Listener.Bind(_loop, Endpoint.Parse("tcp://lo:0"), 1, Owner, _ => { });
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.Address).Port)];
        Assert.NotEqual(0, Assert.Single(ports.Distinct()));
        foreach (Listener listener in listeners)
        {
            listener.Dispose();
            listener.Dispose();
        }
    }

    [Fact]
    public void An_address_that_is_taken_is_told_with_its_endpoint()
    {
        using Listener first = Bind("tcp://127.0.0.1:0");
        string taken = $"tcp://127.0.0.1:{((IPEndPoint)first.Address).Port}";
        Assert.StartsWith($"cannot listen on {taken}: ", Assert.Throws<IOException>(() => Bind(taken)).Message);
        using Listener path = Bind($"ipc://{Socket}");
        Assert.StartsWith($"cannot listen on ipc://{Socket}: ", Assert.Throws<IOException>(() => Bind($"ipc://{Socket}")).Message);
        Assert.True(File.Exists(Socket)); // is the first one's still
        Assert.False(path.IsUnreachable);
    }

    [Fact]
    public void A_socket_that_a_killed_process_left_is_replaced_and_a_file_of_somebody_is_not()
    {
        using (Socket killed = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(Socket + "-"));
            File.Move(Socket + "-", Socket); // so that .NET leaves it
        }

        Bind($"ipc://{Socket}").Dispose();
        Assert.False(File.Exists(Socket));
        _folder.Write("socket", "somebody's");
        Assert.Throws<IOException>(() => Bind($"ipc://{Socket}"));
        Assert.Equal("somebody's", File.ReadAllText(Socket));
    }

    [Fact]
    public async Task Only_the_file_that_was_bound_is_removed_at_the_end()
    {
        Listener listener = Bind($"ipc://{Socket}");
        File.Delete(Socket);
        Assert.True(listener.IsUnreachable);
        using Listener second = Bind($"ipc://{Socket}");
        Assert.True(listener.IsUnreachable);
        listener.Dispose();
        Assert.False(second.IsUnreachable);
        using Socket peer = await ConnectAsync(second.Address);
    }

    [Fact]
    public void A_Unix_socket_has_the_mode_of_its_listener_whatever_is_set_later()
    {
        const UnixFileMode Group = Owner | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        using Listener listener = Bind($"ipc://{Socket}");
        Assert.Equal(Owner, File.GetUnixFileMode(Socket));
        listener.SetMode(Group);
        Assert.Equal(Group, File.GetUnixFileMode(Socket));
        File.Delete(Socket);
        Assert.Throws<FileNotFoundException>(() => listener.SetMode(Owner));
        using Listener tcp = Bind("tcp://127.0.0.1:0");
        tcp.SetMode(Group); // has none
    }

    [Theory]
    [InlineData("nothing/socket", "No such file or directory (ENOENT)")]
    [InlineData("file/socket", "Not a directory (ENOTDIR)")]
    public void A_path_where_nothing_can_be_bound_is_told_with_the_error(string name, string error)
    {
        _folder.Write("file", "");
        Assert.EndsWith(error, Assert.Throws<IOException>(() => Bind($"ipc://{_folder[name]}")).Message);
    }

    [Fact]
    public void An_owner_may_end_the_listener_for_its_first_connection()
    {
        int accepted = 0;
        Listener? listener = null;
        listener = Bind($"ipc://{Socket}", descriptor =>
        {
            accepted++;
            _ = LibC.close(descriptor);
            listener!.Dispose();
        });
        using Socket one = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), two = new(one.AddressFamily, one.SocketType, 0);
        one.Connect(listener.Address);
        two.Connect(listener.Address);
        OnLoopThread.Run(_loop, listener.Open);
        OnLoopThread.Run(_loop, () => { }); // a turn in which it heard of both
        Assert.Equal(1, OnLoopThread.Run(_loop, () => accepted));
        Assert.False(File.Exists(Socket));
    }

    private static async Task<Socket> ConnectAsync(EndPoint address)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        await socket.ConnectAsync(address);
        return socket;
    }

    private Listener Bind(string endpoint, Action<int>? accepted = null) =>
        Assert.Single(Listener.Bind(_loop, Endpoint.Parse(endpoint), 16, Owner, accepted ?? (descriptor => LibC.close(descriptor))));
}
