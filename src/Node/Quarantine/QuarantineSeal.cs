using System.Buffers.Binary;
using System.Security.Cryptography;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>
/// Seals quarantined jobs on the disk to named keys: headers and request are cipher text, and the head stays readable. With its own key
/// among them a node shows and replays the job. Any thread.
/// </summary>
/// <param name="names">The names of the keys; none = jobs are not sealed.</param>
/// <param name="keys">The node's keys; null = it has none.</param>
internal sealed class QuarantineSeal(IReadOnlyList<string> names, Func<KeyRing?> keys)
{
    /// <summary>Gives the names of headers that are never written, besides the built-in ones.</summary>
    public Func<IReadOnlyList<byte[]>> SecretHeaders { get; init; } = static () => [];

    private const int LengthBytes = 4;

    /// <summary>No job is sealed.</summary>
    public static QuarantineSeal None { get; } = new([], static () => null);

    /// <summary>A name without a key; null when each has one.</summary>
    public string? Missing => names.FirstOrDefault(name => keys()?.Callers.Any(caller => caller.Name == name) != true);

    /// <summary>The bytes of a job as they go to the disk.</summary>
    /// <param name="bytes">The job as <see cref="QuarantineFile.Write"/> made it.</param>
    /// <exception cref="IOException">None of the keys is there: the job must not be written in clear.</exception>
    public byte[] Seal(byte[] bytes)
    {
        if (names.Count == 0)
        {
            return bytes;
        }

        CallerKey[] readers = [.. (keys()?.Callers ?? []).Where(caller => names.Contains(caller.Name))];
        if (readers.Length == 0)
        {
            throw new IOException($"security.quarantine-to: the folder of keys has no key '{string.Join("', '", names)}'");
        }

        StoredJob job = QuarantineFile.Read(bytes);
        byte[] plain = new byte[LengthBytes + job.Headers.Length + job.Payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(plain, job.Headers.Length);
        job.Headers.CopyTo(plain, LengthBytes);
        job.Payload.Span.CopyTo(plain.AsSpan(LengthBytes + job.Headers.Length));
        byte[] text = SealedDocument.Seal(plain, readers);
        CryptographicOperations.ZeroMemory(plain);
        return QuarantineFile.Sealed(job, [.. readers.Select(reader => reader.Name).Distinct()], text);
    }

    /// <summary>The job in clear.</summary>
    /// <exception cref="NodeException">The node has no key that the job is sealed to, or the file was changed.</exception>
    public StoredJob Open(StoredJob job)
    {
        if (job.SealedTo.Count == 0)
        {
            return job;
        }

        try
        {
            byte[] plain = SealedDocument.Open(job.Payload.Span, keys() ?? throw new CryptographicException("the node has no keys"));
            int headers = plain.Length < LengthBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(plain);
            if (headers < 0 || plain.Length - LengthBytes - headers != job.ChunkBytes.Sum(length => (long)length))
            {
                throw new CryptographicException("its lengths and its size are not the same");
            }

            return job with { Headers = plain[LengthBytes..(LengthBytes + headers)], Payload = plain.AsMemory(LengthBytes + headers) };
        }
        catch (CryptographicException failure)
        {
            throw new NodeException(
                $"the quarantined job {job.Id} of {job.App} is sealed to {string.Join(", ", job.SealedTo)}, and this node cannot open it: "
                + failure.Message, failure);
        }
    }
}
