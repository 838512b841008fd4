using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Seals bodies of ZeroMQ messages to the app fields, and opens their answers.</summary>
internal sealed class FrameSender
{
    private readonly SealSession _session;
    private byte[]? _opening;

    public FrameSender(SealKeys keys)
    {
        using RSA own = RsaKeyText.ReadPrivate(File.ReadAllText(keys.KeyOf("billing"))), node = RsaKeyText.ReadPublic(File.ReadAllText(keys.NodeKey));
        _session = new OpeningWriter(own, node).Make(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), out byte[] opening);
        _opening = opening;
    }

    public (byte[] Frame, SealedCall Call) Seal(string task, string text, SealPolicy wishes = default)
    {
        SealedCall call = new();
        call.Begin(_session, isClient: true, "fields"u8, Encoding.UTF8.GetBytes(task), in wishes);
        byte[] record = new byte[text.Length + SealSession.OverheadBytes], length = new byte[2];
        Assert.True(call.Seal(RecordKind.Last, new Payload(Encoding.ASCII.GetBytes(text)), record));
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)(_opening?.Length ?? 0));
        byte[] frame = _opening is null ? [.. "CFS1\u0002"u8, .. record] : [.. "CFS1\u0001"u8, .. length, .. _opening, .. record];
        _opening = null;
        return (frame, call);
    }

    /// <summary>The texts of an answer's frames; "end" for the last one.</summary>
    public static string[] Open(SealedCall call, byte[][]? frames)
    {
        List<string> texts = [];
        foreach (byte[] frame in frames!)
        {
            Assert.Equal("CFS1\u0002", Encoding.ASCII.GetString(frame[..5]));
            byte[] text = new byte[frame.Length];
            Assert.Equal(SealFault.None, call.Open(new Payload(frame.AsSpan(5)), text, out OpenedRecord opened));
            texts.Add(opened.Kind == RecordKind.Last ? "end" : Encoding.UTF8.GetString(text, 0, opened.Length));
        }

        Assert.Equal(SealedFlow.Ended, call.Got);
        return [.. texts];
    }
}
