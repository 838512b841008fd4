using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Linux;

/// <summary>
/// Many sends with one system call, by io_uring(7). A woken process cannot take the processor from a loop that is inside the kernel. So the
/// sends of a turn are one burst, and the peers find all of it when they run.
/// </summary>
/// <remarks>
/// Safety: owns the two mappings and the descriptor, and <see cref="Dispose"/> gives them back once. Only the thread that made the ring
/// uses it. Sends carry MSG_DONTWAIT, so each is complete when <see cref="Submit"/> returns, and no address given to <see cref="Add"/> is
/// kept. The layouts are those of linux/io_uring.h.
/// </remarks>
internal sealed unsafe class SubmissionRing : IDisposable
{
    /// <summary>The most sends of one call. Further sends go with the next call: a longer burst gains nothing.</summary>
    public const int Capacity = 256;

    private const nint SetupCall = 425, EnterCall = 426; // the same on every architecture
    private const uint SingleIssuer = 1 << 12, DeferTaskRun = 1 << 13, SingleMapping = 1, GetEvents = 1;
    private const byte SendOperation = 26;
    private const int EntryBytes = 64, CompletionBytes = 16;
    private const long EntriesOffset = 0x10000000;
    private const int ReadWrite = 3, SharedPopulated = 0x8001;

    private int _descriptor;   // -1 once disposed
    private byte* _rings;      // null once disposed
    private readonly nint _ringsBytes;
    private byte* _entries;    // null once disposed
    private readonly uint* _submissionTail;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _submissionMask;
    private readonly uint _completionMask;
    private readonly byte* _completions;
    private int _added;

    private SubmissionRing(int descriptor, in Parameters parameters)
    {
        _descriptor = descriptor;
        _ringsBytes = (nint)Math.Max(
            parameters.Submission.Array + (parameters.SubmissionEntries * sizeof(uint)),
            parameters.Completion.Entries + (parameters.CompletionEntries * CompletionBytes));
        try
        {
            _rings = Map(_ringsBytes, 0);
            _entries = Map((nint)parameters.SubmissionEntries * EntryBytes, EntriesOffset);
        }
        catch
        {
            Dispose();
            throw;
        }

        _submissionTail = (uint*)(_rings + parameters.Submission.Tail);
        _submissionMask = *(uint*)(_rings + parameters.Submission.Mask);
        _completionHead = (uint*)(_rings + parameters.Completion.Head);
        _completionTail = (uint*)(_rings + parameters.Completion.Tail);
        _completionMask = *(uint*)(_rings + parameters.Completion.Mask);
        _completions = _rings + parameters.Completion.Entries;
        uint* order = (uint*)(_rings + parameters.Submission.Array);
        for (uint i = 0; i < parameters.SubmissionEntries; i++)
        {
            order[i] = i; // entries are always used in their own order
        }
    }

    /// <summary>The number of sends that were added and not submitted.</summary>
    public int Count => _added;

    public bool IsFull => _added == Capacity;

    /// <summary>Makes a ring for the calling thread; null when the kernel is older than 6.1 or does not allow it.</summary>
    public static SubmissionRing? TryCreate()
    {
        Parameters parameters = new() { Flags = SingleIssuer | DeferTaskRun };
        int descriptor = (int)LibC.syscall_six(SetupCall, Capacity, (nint)(&parameters), 0, 0, 0, 0);
        if (descriptor < 0)
        {
            return null;
        }

        if ((parameters.Features & SingleMapping) == 0)
        {
            _ = LibC.close(descriptor);
            return null;
        }

        try
        {
            return new SubmissionRing(descriptor, in parameters);
        }
        catch (IOException)
        {
            return null; // the constructor has given everything back
        }
    }

    /// <summary>Adds a send; the returned index finds its result.</summary>
    public int Add(int socket, void* start, int length, int flags)
    {
        byte* entry = _entries + ((*_submissionTail + (uint)_added) & _submissionMask) * EntryBytes;
        new Span<byte>(entry, EntryBytes).Clear();
        *entry = SendOperation;
        *(int*)(entry + 4) = socket;
        *(nint*)(entry + 16) = (nint)start;
        *(int*)(entry + 24) = length;
        *(int*)(entry + 28) = flags;
        *(long*)(entry + 32) = _added;
        return _added++;
    }

    /// <summary>Makes all added sends; each gets its result, bytes or a negative errno.</summary>
    /// <returns>
    /// False when the kernel refused the call itself: the ring is of no use any more. Sends that the kernel had not taken have the result
    /// EAGAIN; sends that it took without an answer have ECANCELED.
    /// </returns>
    public bool Submit(Span<int> results)
    {
        int wanted = _added;
        _added = 0;
        results[..wanted].Fill(-LibC.ECANCELED);

        // Release: the kernel, which reads the tail with acquire, sees whole entries.
        Volatile.Write(ref *_submissionTail, *_submissionTail + (uint)wanted);
        int submitted = 0;
        int done = 0;
        while (done < wanted)
        {
            nint count = LibC.syscall_six(EnterCall, _descriptor, wanted - submitted, wanted - done, (nint)GetEvents, 0, 0);
            if (count >= 0)
            {
                submitted += (int)count;
            }
            else if (Marshal.GetLastPInvokeError() != LibC.EINTR)
            {
                results[submitted..wanted].Fill(-LibC.EAGAIN);
                return false;
            }

            done += Reap(results);
        }

        return true;
    }

    public void Dispose()
    {
        if (_descriptor < 0)
        {
            return;
        }

        if (_rings is not null)
        {
            _ = LibC.munmap(_rings, _ringsBytes);
            _rings = null;
        }

        if (_entries is not null)
        {
            _ = LibC.munmap(_entries, Capacity * EntryBytes);
            _entries = null;
        }

        _ = LibC.close(_descriptor);
        _descriptor = -1;
    }

    private int Reap(Span<int> results)
    {
        // Acquire: results written before the kernel moved the tail, with release, are whole.
        uint tail = Volatile.Read(ref *_completionTail);
        uint head = *_completionHead;
        int count = 0;
        for (; head != tail; head++, count++)
        {
            byte* completion = _completions + ((head & _completionMask) * CompletionBytes);
            results[(int)*(long*)completion] = *(int*)(completion + 8);
        }

        Volatile.Write(ref *_completionHead, head); // release: the kernel may write over the results that were read
        return count;
    }

    private byte* Map(nint size, long offset)
    {
        void* start = LibC.mmap(null, size, ReadWrite, SharedPopulated, _descriptor, offset);
        return (nint)start == -1 ? throw LibC.Failure("mmap of io_uring") : (byte*)start;
    }

    /// <summary>struct io_uring_params.</summary>
    private struct Parameters
    {
        public uint SubmissionEntries, CompletionEntries, Flags, ThreadCpu, ThreadIdle, Features, WorkQueue;
        public uint Reserved0, Reserved1, Reserved2;
        public SubmissionOffsets Submission;
        public CompletionOffsets Completion;
    }

    /// <summary>struct io_sqring_offsets.</summary>
    private struct SubmissionOffsets
    {
        public uint Head, Tail, Mask, Entries, Flags, Dropped, Array, Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_cqring_offsets.</summary>
    private struct CompletionOffsets
    {
        public uint Head, Tail, Mask, RingEntries, Overflow, Entries, Flags, Reserved;
        public ulong UserAddress;
    }
}
