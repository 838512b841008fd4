using System.Buffers.Binary;
using System.Text;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;

/// <summary>The bytes of ZeroMQ peers, written without the code that reads them.</summary>
internal static class WireBytes
{
    /// <summary>A greeting of ZMTP 3 with the mechanism NULL.</summary>
    public static byte[] Greeting(byte minor = 0, string mechanism = "NULL") =>
        [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, minor, .. Encoding.ASCII.GetBytes(mechanism.PadRight(20, '\0')), .. new byte[32]];

    /// <summary>Greeting and READY of ZMTP 3.</summary>
    public static byte[] Third(string type, string? identity = null, byte minor = 0) => [.. Greeting(minor), .. Command(Ready(type, identity))];

    /// <summary>The whole handshake of ZMTP 2.0.</summary>
    public static byte[] Second(byte type, string identity = "") =>
        [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, type, .. Frame(Encoding.ASCII.GetBytes(identity))];

    /// <summary>The whole handshake of ZMTP 1.0.</summary>
    public static byte[] First(string identity = "") => OldFrame(Encoding.ASCII.GetBytes(identity));

    public static byte[] Ready(string type, string? identity = null) =>
        [.. Name("READY"), .. Property("Socket-Type", Encoding.ASCII.GetBytes(type)),
            .. identity is null ? [] : Property("Identity", Encoding.ASCII.GetBytes(identity))];

    public static byte[] Property(string name, byte[] value) => [.. Name(name), .. Big(value.Length), .. value];

    public static byte[] Name(string name) => [(byte)name.Length, .. Encoding.ASCII.GetBytes(name)];

    public static byte[] Command(byte[] body) => body.Length < 256 ? [4, (byte)body.Length, .. body] : [6, .. Long(body.Length), .. body];

    public static byte[] Ping(string context) => Command([.. Name("PING"), 0, 100, .. Encoding.ASCII.GetBytes(context)]);

    /// <summary>A frame of ZMTP 2.0 and 3.</summary>
    public static byte[] Frame(byte[] body, bool more = false) => body.Length < 256
        ? [more ? (byte)1 : (byte)0, (byte)body.Length, .. body] : [more ? (byte)3 : (byte)2, .. Long(body.Length), .. body];

    /// <summary>A frame of ZMTP 1.0.</summary>
    public static byte[] OldFrame(byte[] body, bool more = false) => body.Length < 254
        ? [(byte)(body.Length + 1), more ? (byte)1 : (byte)0, .. body] : [0xff, .. Long(body.Length + 1), more ? (byte)1 : (byte)0, .. body];

    public static byte[] Message(params byte[][] frames) => [.. frames.SelectMany((frame, index) => Frame(frame, index < frames.Length - 1))];

    public static byte[] OldMessage(params byte[][] frames) => [.. frames.SelectMany((frame, index) => OldFrame(frame, index < frames.Length - 1))];

    /// <summary>The length of a long frame.</summary>
    public static byte[] Long(long length)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, length);
        return bytes;
    }

    private static byte[] Big(int length)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, length);
        return bytes;
    }
}
