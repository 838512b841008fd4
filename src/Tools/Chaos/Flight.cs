using System.Buffers.Binary;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Tools.Chaos;

/// <summary>One request on its way: its expected answer, and the part of the answer that has come.</summary>
internal sealed class Flight(int connection, long number, int sizeBytes)
{
    /// <summary>A body starts with its sender: connection, number, size.</summary>
    public const int HeadBytes = 16;

    /// <summary>The bytes that a scribble writes. The pattern never has them, so a byte that was scribbled on is recognized.</summary>
    public const byte ScribbleByte = 0xFF;

    public const int MaxSizeBytes = 2 << 20;

    private static readonly byte[] Pattern = [.. Enumerable.Range(0, MaxSizeBytes).Select(i => (byte)(i % 251))];

    private bool _wrong;

    public int SizeBytes { get; } = Math.Clamp(sizeBytes, HeadBytes, MaxSizeBytes);

    public long SentNs { get; set; }

    public int ReceivedBytes { get; private set; }

    /// <summary>The client gave the request up: its outcome is an error, unless the answer was on its way already.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>Bytes of the request that are sent later; 0 when the request is whole.</summary>
    public int RestBytes { get; set; }

    /// <summary>Some of the wrong bytes come from a scribble.</summary>
    public bool HasScribble { get; private set; }

    public bool IsRight => !_wrong && ReceivedBytes == SizeBytes;

    public string Name => $"request {number} of connection {connection}, {SizeBytes} bytes";

    /// <summary>A part of the body.</summary>
    public ReadOnlySpan<byte> Body(int start, int length)
    {
        if (start >= HeadBytes)
        {
            return Pattern.AsSpan(start, length);
        }

        byte[] body = Pattern.AsSpan(0, start + length).ToArray();
        Span<byte> head = stackalloc byte[HeadBytes];
        WriteHead(head);
        head[..Math.Min(HeadBytes, body.Length)].CopyTo(body);
        return body.AsSpan(start, length);
    }

    /// <summary>A piece of the answer.</summary>
    public void Check(in Payload data)
    {
        if (data.IsContiguous)
        {
            CheckPart(data.Span);
            return;
        }

        foreach (ReadOnlyMemory<byte> part in data.Sequence)
        {
            CheckPart(part.Span);
        }
    }

    private void CheckPart(ReadOnlySpan<byte> part)
    {
        int at = ReceivedBytes;
        ReceivedBytes += part.Length;
        if (ReceivedBytes > SizeBytes)
        {
            _wrong = true;
            HasScribble |= part.Contains(ScribbleByte);
            return;
        }

        ReadOnlySpan<byte> expected = Body(at, part.Length);
        if (!expected.SequenceEqual(part))
        {
            _wrong = true;
            HasScribble |= part.Contains(ScribbleByte);
        }
    }

    private void WriteHead(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, connection);
        BinaryPrimitives.WriteInt64LittleEndian(to[4..], number);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], SizeBytes);
    }
}
