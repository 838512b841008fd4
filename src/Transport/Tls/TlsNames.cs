using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>The contexts of a server by the name that a client asks for (SNI). A name without a context gets the default one.</summary>
/// <remarks>
/// Safety: the context that asks has the address of a handle to this object. The owner frees the handle after that context, with all of
/// the context's sessions. Each context in the table is freed once; sessions that use it hold it themselves.
/// </remarks>
internal sealed unsafe class TlsNames : IDisposable
{
    private const int HostName = 0;           // the only type of name that there is
    private const int Chosen = 0, NotUsed = 3; // SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_NOACK

    private readonly Dictionary<string, nint> _contexts = new(StringComparer.OrdinalIgnoreCase);
    private GCHandle _self;

    /// <summary>Adds a context, which belongs to this object from now on.</summary>
    public void Add(string name, nint context) => _contexts.Add(name, context);

    /// <summary>From now on sessions of the context look here.</summary>
    public void Attach(nint context)
    {
        _self = GCHandle.Alloc(this);
        _ = LibSsl.SSL_CTX_callback_ctrl(context, LibSsl.SetServerNameCallback, &Choose);
        _ = LibSsl.SSL_CTX_ctrl(context, LibSsl.SetServerNameArgument, 0, (void*)GCHandle.ToIntPtr(_self));
    }

    public void Dispose()
    {
        foreach (nint context in _contexts.Values)
        {
            LibSsl.SSL_CTX_free(context);
        }

        _contexts.Clear();
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Choose(nint session, int* alert, void* argument)
    {
        byte* name = LibSsl.SSL_get_servername(session, HostName);
        if (name is null || GCHandle.FromIntPtr((nint)argument).Target is not TlsNames names
            || Marshal.PtrToStringUTF8((nint)name) is not { } text || !names._contexts.TryGetValue(text, out nint context))
        {
            return NotUsed;
        }

        return LibSsl.SSL_set_SSL_CTX(session, context) == 0 ? NotUsed : Chosen;
    }
}
