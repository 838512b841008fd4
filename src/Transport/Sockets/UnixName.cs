using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The file of a Unix socket that was bound here. Another file may take its place (a cleaner of /tmp removes it, another node binds its
/// own), so the file is recognized by its inode, and no other file is ever removed. The binding of .NET would remove any file with the
/// name, and knows few errors of file systems.
/// </summary>
/// <remarks>Safety: the address block is on the stack, as large as struct sockaddr_un, and only read during the call.</remarks>
internal sealed unsafe class UnixName
{
    /// <summary>The longest path, in bytes: sun_path has 108, and the last is zero.</summary>
    public const int MaxPathBytes = 107;

    private const int FamilyBytes = 2;
    private const ushort UnixFamily = 1;

    private readonly string _path;
    private readonly ulong _identity;

    private UnixName(string path, ulong identity)
    {
        _path = path;
        _identity = identity;
    }

    /// <summary>The path leads to the file that was bound.</summary>
    public bool IsInPlace => FileStatus.TryRead(_path, out FileStatus now) && now.Identity == _identity;

    /// <summary>Binds a socket to a path and sets the users that may connect to it.</summary>
    /// <exception cref="SocketException">The place is taken.</exception>
    /// <exception cref="IOException">The socket cannot be bound there; the text has the name of the error.</exception>
    public static UnixName Bind(Socket socket, string path, UnixFileMode mode)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length > MaxPathBytes)
        {
            throw new IOException($"the path of a Unix socket has at most {MaxPathBytes} bytes, and this one has {bytes.Length}");
        }

        byte* address = stackalloc byte[FamilyBytes + MaxPathBytes + 1];
        Span<byte> block = new(address, FamilyBytes + MaxPathBytes + 1);
        block.Clear();
        *(ushort*)address = UnixFamily;
        bytes.CopyTo(block[FamilyBytes..]);
        if (LibC.bind((int)socket.Handle, address, (uint)(FamilyBytes + bytes.Length + 1)) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw error == LibC.EADDRINUSE ? new SocketException((int)SocketError.AddressAlreadyInUse)
                : new IOException(Errno.Describe(error));
        }

        try
        {
            File.SetUnixFileMode(path, mode);
            return new UnixName(path, FileStatus.TryRead(path, out FileStatus status) ? status.Identity : 0);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Removes the file, if it is still the one that was bound.</summary>
    public void Remove()
    {
        try
        {
            if (IsInPlace)
            {
                File.Delete(_path);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next socket that is bound there removes a file that nobody listens on.
        }
    }
}
