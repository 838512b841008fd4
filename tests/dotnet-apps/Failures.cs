using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>Exceptions that cannot be shown.</summary>
public sealed class Failures
{
    [Event("throws")]
    public string Throws(string request) => throw new Unshowable();

    [Event("null")]
    public string Null(string request) => throw new Silent();

    [Event("long")]
    public string Long(string request) => throw new InvalidOperationException(new string('x', 70 << 20));

    /// <summary>An aggregate of aggregates: as text it would have 2^40 lines.</summary>
    [Event("aggregate")]
    public string Aggregate(string request)
    {
        Exception failure = new InvalidOperationException("inner");
        for (int i = 0; i < 40; i++)
        {
            failure = new AggregateException(failure, failure);
        }

        throw failure;
    }

    /// <summary>A chain that overflows the stack of whoever goes down it by calls.</summary>
    [Event("chain")]
    public string Chain(string request)
    {
        Exception failure = new InvalidOperationException("inner");
        for (int i = 0; i < 200_000; i++)
        {
            failure = new InvalidOperationException("outer", failure);
        }

        throw failure;
    }

    [Event("callback")]
    public async ValueTask Callback(Request request, Response response)
    {
        using CancellationTokenRegistration registration = request.Cancelled.Register(() => throw new Unshowable());
        response.Write("ready"u8);
        while (await request.ReadAsync() is not null)
        {
        }
    }

    /// <summary>Ends its process.</summary>
    [Event("exit")]
    public void Exit(Request request, Response response) => Environment.Exit(3);

    [Event("echo")]
    public string Echo(string request) => request;

    private sealed class Unshowable : Exception
    {
        public override string Message => throw new InvalidOperationException("in Message");

        public override string? StackTrace => throw new InvalidOperationException("in StackTrace");

        public override string ToString() => throw new InvalidOperationException("in ToString");
    }

    private sealed class Silent : Exception
    {
        public override string Message => null!;

        public override string ToString() => null!;
    }
}

/// <summary>A constructor that fails so.</summary>
public sealed class FailingConstructor
{
    public FailingConstructor() => throw new InvalidOperationException("the database is starting up");

    [Event("never")]
    public string Never(string request) => request;
}

/// <summary>No event can have this signature.</summary>
public sealed class WrongSignature
{
    [Event("wrong")]
    public byte[] Wrong(ReadOnlyMemory<byte> request) => request.ToArray();
}

/// <summary>Ends before its work does.</summary>
public sealed class AsyncVoid
{
    [Event("void")]
    public async void Void(Request request, Response response) => response.Write((await request.ReadAllAsync()).Span);
}
