using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Tests.Linux;

/// <summary>Descriptors that go over a Unix socket, between two ends in this process.</summary>
public sealed class DescriptorPassingTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"pass-{Guid.NewGuid():N}.sock");
    private readonly Socket _from = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Socket _to;

    public DescriptorPassingTests()
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_path));
        listener.Listen();
        _from.Connect(new UnixDomainSocketEndPoint(_path));
        _to = listener.Accept();
    }

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
        File.Delete(_path);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(DescriptorPassing.MaxDescriptors)]
    public void Descriptors_come_with_their_bytes_in_order_and_are_closed_at_an_exec(int count)
    {
        EventDescriptor[] bells = [.. Enumerable.Range(0, count).Select(_ => new EventDescriptor())];
        Assert.True(DescriptorPassing.TrySend((int)_from.Handle, "hello"u8, [.. bells.Select(bell => bell.Descriptor)]));
        byte[] data = new byte[16];
        int[] descriptors = new int[DescriptorPassing.MaxDescriptors];
        int bytes = DescriptorPassing.Receive((int)_to.Handle, data, descriptors, out int came);
        Assert.Equal(("hello", count), (Encoding.ASCII.GetString(data, 0, bytes), came));
        for (int i = 0; i < count; i++)
        {
            using EventDescriptor received = new(descriptors[i]);
            Assert.True(IsCloseOnExec(received.Descriptor));
            Assert.False(Rang(received));
            bells[i].Ring();
            Assert.True(Rang(received));
            bells[i].Dispose();
        }
    }

    [Fact]
    public void What_there_is_no_room_for_is_closed()
    {
        using EventDescriptor bell = new();
        string name = Target(bell.Descriptor);
        using FileStream file = File.Create(_path + ".file", 1, FileOptions.DeleteOnClose);
        int descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        Assert.True(DescriptorPassing.TrySend((int)_from.Handle, "x"u8, [bell.Descriptor, descriptor, descriptor]));
        int[] one = new int[1];
        Assert.Equal(1, DescriptorPassing.Receive((int)_to.Handle, new byte[16], one, out int came));
        using EventDescriptor received = new(one[0]);
        Assert.Equal((1, name), (came, Target(received.Descriptor)));
        Assert.Single(Directory.GetFiles("/proc/self/fd"), entry => Target(entry) == file.Name);
    }

    [Fact]
    public void Bytes_without_descriptors_come_without_and_an_end_is_an_end()
    {
        _from.Send("plain"u8);
        int[] descriptors = new int[1];
        Assert.Equal(5, DescriptorPassing.Receive((int)_to.Handle, new byte[16], descriptors, out int came));
        Assert.Equal(0, came);
        _from.Dispose();
        Assert.Equal(0, DescriptorPassing.Receive((int)_to.Handle, new byte[16], descriptors, out came));
        Assert.False(DescriptorPassing.TrySend((int)_to.Handle, "late"u8, [0])); // and no SIGPIPE
    }

    [Fact]
    public void More_descriptors_than_a_message_carries_are_a_mistake_of_the_caller() => Assert.Throws<ArgumentOutOfRangeException>(
        () => DescriptorPassing.TrySend((int)_from.Handle, "x"u8, new int[DescriptorPassing.MaxDescriptors + 1]));

    private static bool IsCloseOnExec(int descriptor)
    {
        string flags = File.ReadLines($"/proc/self/fdinfo/{descriptor}").First(line => line.StartsWith("flags:", StringComparison.Ordinal));
        return (Convert.ToInt32(flags["flags:".Length..].Trim(), fromBase: 8) & LibC.O_CLOEXEC) != 0;
    }

    private static string Target(int descriptor) => Target($"/proc/self/fd/{descriptor}");

    /// <summary>Empty for one that is gone: other tests open and close theirs meanwhile.</summary>
    private static string Target(string entry)
    {
        try
        {
            return new FileInfo(entry).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static unsafe bool Rang(EventDescriptor bell)
    {
        ulong count;
        return LibC.read(bell.Descriptor, &count, sizeof(ulong)) > 0;
    }
}
