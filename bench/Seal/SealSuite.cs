using System.Diagnostics;
using System.Security.Cryptography;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Bench.Seal;

/// <summary>
/// The cost of seals on one thread: an opening beside the two RSA operations that it cannot do without, and a record beside AES-GCM alone
/// on the same bytes. A figure is the least of many batches, because others use the machine too.
/// </summary>
internal sealed class SealSuite : IDisposable
{
    /// <summary>Batches are shorter than the time for which the kernel lets a thread run.</summary>
    private const int Batches = 300, OpeningBatch = 1, RecordBatch = 256;

    /// <summary>Of ours beside the primitives alone; a machine under load does not change it.</summary>
    private const double Aim = 1.25;

    private readonly RSA _sender = RSA.Create(3072), _node = RSA.Create(3072);
    private bool _isHeld = true;

    /// <summary>Measures all, and prints the table; 1 when an aim is missed.</summary>
    public static int Run()
    {
        using SealSuite suite = new();
        Console.WriteLine($"| operation | ours | the primitives alone | ours : alone, aim {Aim} | bytes allocated |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        suite.Openings();
        foreach (int sizeBytes in (int[])[64, 1 << 10, 64 << 10])
        {
            suite.Records(sizeBytes);
        }

        return suite._isHeld ? 0 : 1;
    }

    public void Dispose()
    {
        _sender.Dispose();
        _node.Dispose();
    }

    private void Openings()
    {
        OpeningWriter writer = new(_sender, _node);
        KeyRing ring = new(
            [new CallerKey("bench", RsaKeyText.Thumbprint(_sender), RSA.Create(_sender.ExportParameters(false)))],
            [new OwnKey(RsaKeyText.Thumbprint(_node), _node)]);
        SealGate gate = new(ring, 0, new OpeningMemory());
        long nowS = DateTimeOffset.UtcNow.ToUnixTimeSeconds(), nowMs = 0;
        Queue<byte[]> openings = new();
        for (int i = 0; i < (Batches + 1) * OpeningBatch; i++)
        {
            writer.Make(nowS, out byte[] opening);
            openings.Enqueue(opening);
        }

        (double ours, double bytes) = Least(OpeningBatch, () =>
        {
            nowMs += 1000; // the rate of an identity is no part of the cost
            Must(gate.Open(openings.Dequeue(), nowS * 1000, nowMs, out _) == SealFault.None);
        });
        byte[] key = new byte[32], text = new byte[1100];
        byte[] wrapped = _node.Encrypt(key, RSAEncryptionPadding.OaepSHA256);
        byte[] signature = _sender.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        using RSA known = RSA.Create(_sender.ExportParameters(false));
        (double alone, _) = Least(OpeningBatch, () =>
        {
            Must(known.VerifyData(text, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
            Must(_node.Decrypt(wrapped, RSAEncryptionPadding.OaepSHA256).Length == key.Length);
        });
        Print("opening, RSA-3072", ours / 1e6, alone / 1e6, "ms", bytes);
    }

    private void Records(int sizeBytes)
    {
        SealSession client = new OpeningWriter(_sender, _node).Make(0, out byte[] opening);
        byte[] text = new byte[sizeBytes], hidden = new byte[sizeBytes], tag = new byte[16], nonce = new byte[12];
        byte[] tied = new byte[RecordTiedBytes], record = new byte[sizeBytes + SealSession.OverheadBytes], opened = new byte[record.Length];
        SealedCall call = new();
        (double seal, double sealBytes) = Least(BatchOf(sizeBytes), () =>
        {
            call.Begin(client, isClient: true, "shop"u8, "invoice"u8, default);
            Must(call.Seal(RecordKind.Last, new Payload(text), record));
        });
        using AesGcm cipher = new(new byte[32], tag.Length);
        (double encrypt, _) = Least(BatchOf(sizeBytes), () =>
        {
            nonce[0]++;
            cipher.Encrypt(nonce, text, hidden, tag, tied);
        });
        (double open, double openBytes) = Opening(sizeBytes);
        cipher.Encrypt(nonce, text, hidden, tag, tied);
        (double decrypt, _) = Least(BatchOf(sizeBytes), () => cipher.Decrypt(nonce, hidden, tag, text, tied));
        Print($"record sealed, {sizeBytes} B", seal / 1e3, encrypt / 1e3, "µs", sealBytes);
        Print($"record opened, {sizeBytes} B", open / 1e3, decrypt / 1e3, "µs", openBytes);
    }

    /// <summary>Opens records that were sealed before the time is taken.</summary>
    private (double Ns, double Bytes) Opening(int sizeBytes)
    {
        byte[] secret = new byte[32];
        SealSession client = new(new OpeningSecret("opening"u8, secret), 1, SealSide.Client, "", ""),
            node = new(new OpeningSecret("opening"u8, secret), 1, SealSide.Node, "bench", "");
        SealedCall from = new(), to = new();
        int batch = BatchOf(sizeBytes);
        byte[] text = new byte[sizeBytes], opened = new byte[sizeBytes + SealSession.OverheadBytes];
        byte[][] records = [.. Enumerable.Range(0, batch).Select(_ => new byte[sizeBytes + SealSession.OverheadBytes])];
        int next = 0;
        return Least(batch, () =>
        {
            to.Begin(node, isClient: false, "shop"u8, "invoice"u8, default);
            Must(to.Open(new Payload(records[next++]), opened, out _) == SealFault.None);
        }, () =>
        {
            next = 0;
            foreach (byte[] record in records)
            {
                from.Begin(client, isClient: true, "shop"u8, "invoice"u8, default);
                Must(from.Seal(RecordKind.Last, new Payload(text), record));
            }
        });
    }

    /// <summary>Bytes that a tag covers besides the text: those of the app shop and its event invoice.</summary>
    private const int RecordTiedBytes = 2 + 5 + 8 + 8 + 8 + 1 + SealPolicy.SizeBytes;

    private static int BatchOf(int sizeBytes) => sizeBytes > 4096 ? RecordBatch / 8 : RecordBatch;

    /// <summary>The least time of a batch, ns for each operation, and the least bytes that were allocated.</summary>
    private static (double Ns, double Bytes) Least(int batch, Action operation, Action? prepare = null)
    {
        double ns = double.MaxValue, bytes = double.MaxValue;
        for (int i = 0; i <= Batches; i++)
        {
            prepare?.Invoke();
            long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            for (int k = 0; k < batch; k++)
            {
                operation();
            }

            double took = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (i > 0)
            {
                (ns, bytes) = (Math.Min(ns, took / batch), Math.Min(bytes, (double)allocated / batch));
            }
        }

        return (ns, bytes);
    }

    private static void Must(bool isRight)
    {
        if (!isRight)
        {
            throw new InvalidOperationException("a seal does not open");
        }
    }

    private void Print(string name, double ours, double alone, string unit, double bytes)
    {
        bool isHeld = ours <= alone * Aim;
        _isHeld &= isHeld;
        Console.WriteLine(FormattableString.Invariant(
            $"| {name} | {ours:F2} {unit} | {alone:F2} {unit} | {ours / alone:F2}: {(isHeld ? "held" : "MISSED")} | {bytes:F0} |"));
    }
}
