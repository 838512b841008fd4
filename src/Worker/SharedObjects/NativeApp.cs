using System.Runtime.InteropServices;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Worker.SharedObjects;

/// <summary>
/// A C++ app in a shared object. The app contains its SDK, so it serves its pipe itself, without a step into .NET for a request. This class
/// only loads the object and calls its three entry points (COCAINE_APP in workers/cpp/include/cocaine/worker.hpp).
/// </summary>
/// <remarks>
/// Safety: the object stays loaded until the process ends, because its threads may outlive a slave; so its addresses stay valid. The entry
/// points get native memory that lives until they return. Its code runs unchecked in this process: a fault there ends the process.
/// </remarks>
internal sealed unsafe class NativeApp
{
    private readonly string _path;
    private readonly delegate* unmanaged<int, byte**, int> _main;
    private readonly delegate* unmanaged<NativeStart*, void*> _open;
    private readonly delegate* unmanaged<void*, int> _serve;

    private NativeApp(string path, nint library)
    {
        _path = path;
        _main = (delegate* unmanaged<int, byte**, int>)Entry(library, "cocaine_worker_main");
        _open = (delegate* unmanaged<NativeStart*, void*>)Entry(library, "cocaine_worker_open");
        _serve = (delegate* unmanaged<void*, int>)Entry(library, "cocaine_worker_serve");
        HasFlow = NativeLibrary.TryGetExport(library, "cocaine_worker_flow", out _);
    }

    /// <summary>
    /// The app's SDK knows flow control of one channel: it exports <c>cocaine_worker_flow</c>, whatever that is. In a process the handshake
    /// says so; a thread has no handshake.
    /// </summary>
    public bool HasFlow { get; }

    /// <summary>Decided by the name: the content does not always tell a program from a shared object.</summary>
    public static bool IsSharedObject(string path)
    {
        string name = Path.GetFileName(path);
        return name.EndsWith(".so", StringComparison.Ordinal) || name.Contains(".so.", StringComparison.Ordinal);
    }

    /// <summary>Loads the object, or finds it loaded.</summary>
    /// <exception cref="AppLoadException">The file is missing, needs a library that is missing, or is no app.</exception>
    public static NativeApp Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new AppLoadException($"{path} is not there");
        }

        if (!IsSharedObject(path))
        {
            throw new AppLoadException($"{path} is no shared object (.so): a program runs with the process backend only");
        }

        try
        {
            return new NativeApp(path, NativeLibrary.Load(Path.GetFullPath(path)));
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new AppLoadException($"{path} cannot be loaded: {failure.Message}", failure);
        }
    }

    /// <summary>Runs the app as this process's worker, from the connection to the node on. Returns the exit code.</summary>
    public int RunProcess(IReadOnlyList<string> words)
    {
        using NativeWords arguments = new(words);
        return _main(words.Count, arguments.Pointers);
    }

    /// <summary>Makes a slave of the app that runs in a thread of this process.</summary>
    /// <exception cref="AppLoadException">The app's set-up failed.</exception>
    public NativeLoop Open(AppManifest app, string uuid, Segment segment, EventDescriptor ownBell, EventDescriptor nodeBell)
    {
        NativeLoop loop = new(this, app, uuid, segment, ownBell, nodeBell);
        return loop.Handle is null ? throw new AppLoadException($"{_path} cannot be started: {loop.TakeProblem()}") : loop;
    }

    internal void* CallOpen(NativeStart* start) => _open(start);

    internal int CallServe(void* handle) => _serve(handle);

    private nint Entry(nint library, string name) => NativeLibrary.TryGetExport(library, name, out nint address) ? address
        : throw new AppLoadException($"{_path} has no {name}: it is no app of the C++ SDK (COCAINE_APP)");
}

/// <summary>struct cocaine::thread_start.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeStart
{
    public uint Abi;
    public int OwnBell;
    public int NodeBell;
    public int ArgumentCount;
    public void* Segment;
    public ulong SegmentBytes;
    public byte* App;
    public byte* Uuid;
    public byte* Version;
    public byte** Arguments;
    public int* Stop;
    public byte* Problem;
    public ulong ProblemBytes;
    public long HeartbeatMs;
}

/// <summary>Texts in C's form: an array of pointers to bytes that end with zero.</summary>
/// <remarks>Safety: owns the array and every text until <see cref="Dispose"/>, which frees them once.</remarks>
internal sealed unsafe class NativeWords : IDisposable
{
    private readonly int _count;

    public NativeWords(IReadOnlyList<string> words)
    {
        _count = words.Count;
        Pointers = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < _count; i++)
        {
            int length = Encoding.UTF8.GetByteCount(words[i]);
            Pointers[i] = (byte*)NativeMemory.AllocZeroed((nuint)(length + 1));
            Encoding.UTF8.GetBytes(words[i], new Span<byte>(Pointers[i], length));
        }
    }

    /// <summary>Null once disposed.</summary>
    public byte** Pointers { get; private set; }

    public void Dispose()
    {
        if (Pointers is null)
        {
            return;
        }

        for (int i = 0; i < _count; i++)
        {
            NativeMemory.Free(Pointers[i]);
        }

        NativeMemory.Free(Pointers);
        Pointers = null;
    }
}
