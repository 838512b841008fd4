using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;
using Cocaine.Fast.Worker.Serving;

namespace Cocaine.Fast.Worker.SharedObjects;

/// <summary>One slave of a C++ app in a thread of this process: a loop of its own, over the same rings as all slaves.</summary>
/// <remarks>
/// Safety: the start block and its texts are native memory, freed when <see cref="Run"/> has returned, and not before: a slave that never
/// ends keeps them, and so does a slave that was opened and never run. The segment must live as long; ThreadLink ensures it. The stop word
/// has one writer, this class, and one reader, the C++ loop, which is rung after the word was set.
/// </remarks>
internal sealed unsafe class NativeLoop : ISlaveLoop
{
    private const int ProblemBytes = 1024;

    private readonly NativeApp _app;
    private readonly EventDescriptor _ownBell;
    private readonly NativeWords _names;
    private readonly NativeWords _arguments;
    private readonly NativeStart* _start;
    private readonly Lock _lock = new();   // guards the life of the start block, because Abandon comes from the node's loop
    private bool _freed;

    public NativeLoop(NativeApp app, AppManifest manifest, string uuid, Segment segment, EventDescriptor ownBell, EventDescriptor nodeBell)
    {
        _app = app;
        _ownBell = ownBell;
        _names = new NativeWords([manifest.Name, uuid, manifest.Version.ToString(CultureInfo.InvariantCulture)]);
        _arguments = new NativeWords(manifest.Code.Argv);
        _start = (NativeStart*)NativeMemory.AllocZeroed((nuint)(sizeof(NativeStart) + sizeof(long) + ProblemBytes));
        int* stop = (int*)(_start + 1);
        *_start = new NativeStart
        {
            Abi = 2,
            OwnBell = ownBell.Descriptor,
            NodeBell = nodeBell.Descriptor,
            ArgumentCount = manifest.Code.Argv.Count,
            Segment = (void*)segment.Start,
            SegmentBytes = (ulong)segment.SizeBytes,
            App = _names.Pointers[0],
            Uuid = _names.Pointers[1],
            Version = _names.Pointers[2],
            Arguments = _arguments.Pointers,
            Stop = stop,
            Problem = (byte*)stop + sizeof(long),
            ProblemBytes = ProblemBytes,
            HeartbeatMs = manifest.Engine.HeartbeatPeriodMs,
        };
        Handle = app.CallOpen(_start);
    }

    /// <summary>The result of cocaine_worker_open; null when the app cannot be started.</summary>
    public void* Handle { get; }

    /// <inheritdoc/>
    public bool HasFlow => _app.HasFlow;

    /// <summary>Why the app cannot be started. Frees the rest.</summary>
    public string TakeProblem()
    {
        string problem = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(_start->Problem));
        Free();
        return problem;
    }

    public WorkerExit Run()
    {
        try
        {
            return _app.CallServe(Handle) switch
            {
                0 => WorkerExit.Terminated,
                70 => WorkerExit.Fault,
                _ => WorkerExit.Abandoned,
            };
        }
        finally
        {
            Free();
        }
    }

    public void Abandon()
    {
        lock (_lock)
        {
            if (!_freed)
            {
                Volatile.Write(ref *_start->Stop, 1); // before the bell, because the loop looks when it wakes
                _ownBell.Ring();
            }
        }
    }

    private void Free()
    {
        lock (_lock)
        {
            if (_freed)
            {
                return;
            }

            _freed = true;
            NativeMemory.Free(_start);
        }

        _names.Dispose();
        _arguments.Dispose();
    }
}
