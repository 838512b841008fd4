using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>Handlers that do not come back.</summary>
public sealed class Hanging
{
    /// <summary>Hangs until a file is there: all slaves see it.</summary>
    [Event("until")]
    public string Until(string request)
    {
        while (!File.Exists(request))
        {
            Thread.Sleep(20);
        }

        return request;
    }

    /// <summary>Fills the process's thread pool.</summary>
    [Event("fills")]
    public string Fills(string request)
    {
        for (int i = 0; i < 500; i++)
        {
            ThreadPool.QueueUserWorkItem(_ => Until(request));
        }

        return "filled";
    }

    [Event("echo")]
    public string Echo(string request) => request;
}

/// <summary>Writes a file when it is disposed.</summary>
public sealed class Disposed : IAsyncDisposable
{
    private string? _path;

    [Event("path")]
    public string Path(string request) => _path = request;

    public async ValueTask DisposeAsync()
    {
        await Task.Delay(1);
        if (_path is not null)
        {
            await File.WriteAllTextAsync(_path, "disposed");
        }
    }
}

/// <summary>A timer that nobody ends keeps the code of each slave.</summary>
public sealed class StaticTimer
{
    private static readonly Timer Forever = new(static _ => { }, null, 100, 100);

    [Event("echo")]
    public string Echo(string request) => Forever is null ? "" : request;
}

/// <summary>The same with a timer that ends with the slave.</summary>
public sealed class OwnTimer : IDisposable
{
    private readonly Timer _timer = new(static _ => { }, null, 100, 100);

    [Event("echo")]
    public string Echo(string request) => request;

    public void Dispose() => _timer.Dispose();
}
