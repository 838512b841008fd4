using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cocaine.Fast.Worker;

/// <summary>Answers a request that it reads where it lies. It can keep neither: a span lives no longer than the call.</summary>
internal delegate ReadOnlySpan<byte> SpanHandler(ReadOnlySpan<byte> request);

/// <summary>Makes a handler from a method of an app. <see cref="Bind"/> knows the signatures that an app may use.</summary>
internal static class Handlers
{
    /// <summary>The signatures of events in the form of C#.</summary>
    public static IReadOnlyList<string> Signatures { get; } =
    [
        "string M(string)", "byte[] M(byte[])", "ReadOnlyMemory<byte> M(ReadOnlyMemory<byte>)",
        "ReadOnlySpan<byte> M(ReadOnlySpan<byte>)",
        "void M(Request, Response)", "Task M(Request, Response)", "ValueTask M(Request, Response)",
        "IAsyncEnumerable<ReadOnlyMemory<byte>> M(Request)",
    ];

    /// <exception cref="AppLoadException">The method has another signature.</exception>
    public static AppEvent Bind(string name, MethodInfo method, object app)
    {
        Type[] takes = [.. method.GetParameters().Select(parameter => parameter.ParameterType)];
        Type gives = method.ReturnType;
        if (takes is [var first, var second] && first == typeof(Request) && second == typeof(Response))
        {
            if (gives == typeof(ValueTask))
            {
                return new AppEvent(name, false, true, method.CreateDelegate<JobHandler>(app));
            }

            if (gives == typeof(Task))
            {
                Func<Request, Response, Task> run = method.CreateDelegate<Func<Request, Response, Task>>(app);
                return new AppEvent(name, false, true, (request, response) => new ValueTask(run(request, response)));
            }

            if (gives == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute)))
            {
                throw new AppLoadException($"{method.DeclaringType}.{method.Name} is async void, which ends before its work does: "
                    + "let it return Task or ValueTask");
            }

            if (gives == typeof(void))
            {
                Action<Request, Response> run = method.CreateDelegate<Action<Request, Response>>(app);
                return new AppEvent(name, true, true, (request, response) =>
                {
                    run(request, response);
                    return default;
                });
            }
        }

        if (takes is [var only] && only == typeof(Request) && gives == typeof(IAsyncEnumerable<ReadOnlyMemory<byte>>))
        {
            Func<Request, IAsyncEnumerable<ReadOnlyMemory<byte>>> run =
                method.CreateDelegate<Func<Request, IAsyncEnumerable<ReadOnlyMemory<byte>>>>(app);
            return new AppEvent(name, false, true, (request, response) => StreamAsync(run, request, response));
        }

        return BindWhole(name, method, app, takes, gives) ?? throw new AppLoadException(
            $"{method.DeclaringType}.{method.Name} has a signature that no event can have: {Signature(method)}. An event is one of "
            + string.Join("; ", Signatures));
    }

    private static AppEvent? BindWhole(string name, MethodInfo method, object app, Type[] takes, Type gives)
    {
        if (takes is not [var only] || only != gives)
        {
            return null;
        }

        if (only == typeof(ReadOnlyMemory<byte>))
        {
            Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> run =
                method.CreateDelegate<Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>>(app);
            return new AppEvent(name, true, true, (request, response) =>
            {
                response.Write(run(request.Whole()).Span);
                return default;
            });
        }

        if (only == typeof(ReadOnlySpan<byte>))
        {
            SpanHandler run = method.CreateDelegate<SpanHandler>(app);
            return new AppEvent(name, true, false, (request, response) =>
            {
                response.WriteAnswer(request, run);
                return default;
            })
            { Borrows = true };
        }

        if (only == typeof(byte[]))
        {
            Func<byte[], byte[]> run = method.CreateDelegate<Func<byte[], byte[]>>(app);
            return new AppEvent(name, true, false, (request, response) =>
            {
                response.Write(run(request.Whole().ToArray()));
                return default;
            });
        }

        if (only == typeof(string))
        {
            Func<string, string> run = method.CreateDelegate<Func<string, string>>(app);
            return new AppEvent(name, true, false, (request, response) =>
            {
                response.Write(Encoding.UTF8.GetBytes(run(Encoding.UTF8.GetString(request.Whole().Span))));
                return default;
            });
        }

        return null;
    }

    /// <summary>A method in the form of C#, with short names.</summary>
    private static string Signature(MethodInfo method) =>
        $"{NameOf(method.ReturnType)} {method.Name}({string.Join(", ", method.GetParameters().Select(one => NameOf(one.ParameterType)))})";

    private static string NameOf(Type type) => type switch
    {
        _ when type == typeof(void) => "void",
        _ when type == typeof(string) => "string",
        _ when type == typeof(byte) => "byte",
        { IsArray: true } => $"{NameOf(type.GetElementType()!)}[]",
        { IsGenericType: true } =>
            $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>",
        _ => type.Name,
    };

    private static async ValueTask StreamAsync(
        Func<Request, IAsyncEnumerable<ReadOnlyMemory<byte>>> run, Request request, Response response)
    {
        await foreach (ReadOnlyMemory<byte> chunk in run(request).WithCancellation(request.Cancelled).ConfigureAwait(false))
        {
            await response.WriteAsync(chunk).ConfigureAwait(false);
        }
    }
}
