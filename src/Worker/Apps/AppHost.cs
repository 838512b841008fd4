using System.Reflection;
using System.Runtime.Loader;
using System.Text;

namespace Cocaine.Fast.Worker;

/// <summary>Serves one job: the job ends when the returned task ends.</summary>
internal delegate ValueTask JobHandler(Request request, Response response);

/// <summary>An event of an app.</summary>
/// <param name="Name">The event's name.</param>
/// <param name="NeedsWhole">The handler starts only when the request is whole.</param>
/// <param name="SharesObjects">The app's code gets the request itself, or its memory, and may keep it.</param>
/// <param name="Handle">Serves a job.</param>
internal sealed record AppEvent(string Name, bool NeedsWhole, bool SharesObjects, JobHandler Handle)
{
    /// <summary>The handler reads its request where it lies, and may do so in the ring.</summary>
    public bool Borrows { get; init; }

    /// <summary>The event's place among the events of its app.</summary>
    public int Index { get; init; }

    public ObjectUse Use { get; } = new(SharesObjects);
}

/// <summary>
/// An app's loaded code: its events by name. The assembly has a load context of its own, so two apps may use different versions of a
/// library.
/// </summary>
internal sealed class AppHost
{
    private readonly List<(byte[] Name, AppEvent Event)> _events = [];
    private AssemblyLoadContext? _code; // set for an app that was loaded here; null after its end
    private object? _app;               // the app's object; null after its end

    private AppHost(AppIdentity context) => Context = context;

    public AppIdentity Context { get; }

    public int EventCount => _events.Count;

    /// <summary>Loads an app. The source is <c>/path/App.dll</c>, or <c>/path/App.dll:Namespace.Class</c>.</summary>
    /// <exception cref="AppLoadException">The app cannot be loaded, or has no events.</exception>
    public static AppHost Load(string source, AppIdentity context)
    {
        int colon = source.LastIndexOf(':');
        string path = colon > 0 ? source[..colon] : source;
        if (!File.Exists(path))
        {
            throw new AppLoadException($"{path} is not there");
        }

        try
        {
            AppLoadContext code = new(Path.GetFullPath(path));
            Assembly assembly = code.LoadFromAssemblyPath(Path.GetFullPath(path));
            AppHost host = FromType(AppTypeOf(assembly, colon > 0 ? source[(colon + 1)..] : null), context);
            host._code = code;
            return host;
        }
        catch (Exception failure)
            when (failure is IOException or BadImageFormatException or TypeLoadException or ReflectionTypeLoadException)
        {
            throw new AppLoadException($"{path} cannot be loaded: {failure.Message}", failure);
        }
    }

    /// <summary>Hosts a class that is loaded already.</summary>
    public static AppHost FromType(Type type, AppIdentity context)
    {
        AppHost host = new(context);
        object app = Create(type, context);
        host._app = app;
        foreach (MethodInfo method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance))
        {
            if (method.GetCustomAttribute<EventAttribute>() is { } mark)
            {
                string name = mark.Name ?? method.Name;
                byte[] bytes = Encoding.UTF8.GetBytes(name);
                if (host.Find(bytes) is not null)
                {
                    throw new AppLoadException($"{type} has two methods for the event '{name}'");
                }

                host._events.Add((bytes, Handlers.Bind(name, method, app) with { Index = host._events.Count }));
            }
        }

        return host._events.Count > 0 ? host : throw new AppLoadException($"{type} has no public method with [Event]");
    }

    public AppEvent? Find(ReadOnlySpan<byte> name)
    {
        foreach ((byte[] known, AppEvent found) in _events)
        {
            if (name.SequenceEqual(known))
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>
    /// Ends the app: its object is disposed when it is disposable, and its code may be unloaded. The method waits for an asynchronous
    /// disposal; the caller that ends the slave bounds this wait. Returns a reference that tells whether the code is still in memory, or
    /// null when the code was not loaded here.
    /// </summary>
    public WeakReference? End()
    {
        object? app = _app;
        _app = null;
        _events.Clear();
        try
        {
            if (app is IAsyncDisposable later)
            {
                later.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
            else
            {
                (app as IDisposable)?.Dispose();
            }
        }
        catch (Exception failure)
        {
            FailureText.Print(failure); // the app's own failure; its slave ends all the same
        }

        if (_code is not { } code)
        {
            return null;
        }

        _code = null;
        WeakReference left = new(code, trackResurrection: true); // survives the context's finalization
        code.Unload();
        return left;
    }

    private static Type AppTypeOf(Assembly assembly, string? name)
    {
        if (name is not null)
        {
            return assembly.GetType(name) ?? throw new AppLoadException($"{assembly.GetName().Name} has no class {name}");
        }

        Type[] marked = [.. assembly.GetExportedTypes().Where(type => type.GetCustomAttribute<CocaineAppAttribute>() is not null)];
        Type[] candidates = marked.Length > 0
            ? marked
            : [.. assembly.GetExportedTypes().Where(type =>
                !type.IsAbstract && type.GetMethods().Any(method => method.GetCustomAttribute<EventAttribute>() is not null))];
        return candidates.Length switch
        {
            1 => candidates[0],
            0 => throw new AppLoadException($"{assembly.GetName().Name} has no public class with [Event] methods"),
            _ => throw new AppLoadException(
                $"{assembly.GetName().Name} has several classes with events ("
                + $"{string.Join(", ", candidates.Select(type => type.FullName))}): "
                + "mark one with [CocaineApp], or name it after the path, as in App.dll:Namespace.Class"),
        };
    }

    private static object Create(Type type, AppIdentity context)
    {
        try
        {
            return (type.GetConstructor([typeof(AppIdentity)]) is not null ? Activator.CreateInstance(type, context)
                : Activator.CreateInstance(type))!;
        }
        catch (TargetInvocationException failure)
        {
            throw new AppLoadException(
                $"the constructor of {type} failed: {FailureText.Reason(failure.InnerException ?? failure)}", failure.InnerException);
        }
        catch (MissingMethodException failure)
        {
            throw new AppLoadException($"{type} has no public constructor without parameters or with an AppIdentity", failure);
        }
    }

    /// <summary>
    /// Finds the app's own libraries by its deps.json. The libraries of the SDK and of the client are shared, because otherwise their types
    /// would be different types for the app. Collectible: every thread slave loads its app anew, and a node must not keep the code of all
    /// ended slaves.
    /// </summary>
    private sealed class AppLoadContext(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path), isCollectible: true)
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        /// <summary>Hides the runtime's method, which may give the image of an earlier file at the same path.</summary>
        public new Assembly LoadFromAssemblyPath(string file) => LoadedFiles.Load(this, file);

        protected override Assembly? Load(AssemblyName name)
        {
            if (name.Name is "Cocaine.Fast.Core" or "Cocaine.Fast.Transport" or "Cocaine.Fast.Worker" or "Cocaine.Fast.Client")
            {
                return Default.LoadFromAssemblyName(name);
            }

            return _resolver.ResolveAssemblyToPath(name) is { } found ? LoadFromAssemblyPath(found) : null;
        }
    }
}
