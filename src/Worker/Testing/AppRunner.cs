using System.Collections.Concurrent;
using System.Text;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Worker.Serving;

namespace Cocaine.Fast.Worker.Testing;

/// <summary>
/// Runs an app's handlers without a node, in tests: <c>(await new AppRunner(typeof(App)).CallAsync("hello", "you")).Text</c>. The session
/// is the worker's own, on a thread of its own: exceptions, errors and headers are the same as for a caller.
/// </summary>
public sealed class AppRunner : IDisposable
{
    private readonly AppHost _host;
    private readonly BlockingCollection<Action> _work = [];    // the tasks of the slave's thread
    private readonly Dictionary<ulong, OpenCall> _calls = [];  // only the slave's thread uses it
    private readonly MemorySink _output = new();               // only the slave's thread uses it
    private readonly Thread _thread;
    private WorkerSession _session = null!;                    // only the slave's thread uses it
    private ulong _newest = 1;                                 // only the slave's thread uses it

    /// <summary>Makes the app's object.</summary>
    /// <param name="app">The class with the events.</param>
    /// <param name="name">The app's name, as in its manifest.</param>
    /// <param name="version">The app's version, as in its manifest.</param>
    /// <exception cref="AppLoadException">The class is no app; the message gives the reason.</exception>
    public AppRunner(Type app, string name = "app", int version = 0)
    {
        _host = AppHost.FromType(app, new AppIdentity(name, "testing", version));
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Calls an event with a request of text.</summary>
    public Task<AppAnswer> CallAsync(string name, params string[] chunks) => CallAsync(new AppCall(name)
    {
        Chunks = [.. chunks.Select(chunk => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(chunk)))],
    });

    /// <summary>Runs the event's handler. The task returns its answer.</summary>
    public Task<AppAnswer> CallAsync(AppCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        TaskCompletionSource<AppAnswer> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() => Begin(call, answered));
        return answered.Task;
    }

    /// <summary>Ends the app's object. Running calls are cancelled.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _host.End();
    }

    private void Run()
    {
        _session = new WorkerSession(_host, new WorkBell(_work), _output, static () => 0, new LoopSeat());
        foreach (Action work in _work.GetConsumingEnumerable())
        {
            work();
            _session.DoPosted();
            _session.StartPending();
            TakeAnswers();
        }

        _session.Close();
        foreach (OpenCall call in _calls.Values)
        {
            call.Answered.TrySetCanceled();
        }
    }

    private void Begin(AppCall call, TaskCompletionSource<AppAnswer> answered)
    {
        ulong channel = ++_newest;
        _calls.Add(channel, new OpenCall([], answered));
        HeaderSet headers = new();
        if (call.TraceId != 0)
        {
            headers.Add("trace_id"u8, BitConverter.GetBytes(call.TraceId), bare: false);
            headers.Add("span_id"u8, BitConverter.GetBytes(call.SpanId), bare: false);
            headers.Add("parent_id"u8, BitConverter.GetBytes(call.ParentId), bare: false);
        }

        foreach ((string name, byte[] value) in call.Headers)
        {
            headers.Add(Encoding.UTF8.GetBytes(name), value, bare: false);
        }

        MemorySink messages = new();
        MessageWriter.WriteInvoke(messages, channel, OpeningBounds.EncodeName(call.Event), headers.ForWorker(withSecrets: true));
        foreach (ReadOnlyMemory<byte> chunk in call.Chunks)
        {
            MessageWriter.WriteChunk(messages, channel, new Payload(chunk.Span), bin: true);
        }

        if (call.GivesUp)
        {
            TakeIn(messages); // so that the handler has begun
            _session.StartPending();
            MessageWriter.WriteError(messages, channel, ErrorCodes.Category, ErrorCodes.DeadlineError, "given up");
        }
        else
        {
            MessageWriter.WriteClose(messages, channel);
        }

        TakeIn(messages);
    }

    private void TakeIn(MemorySink messages)
    {
        if (_session.TakeAll(messages.Written) is { } problem)
        {
            throw new InvalidOperationException(problem);
        }

        messages.Clear();
    }

    private void TakeAnswers()
    {
        ReadOnlySpan<byte> bytes = _output.Written;
        while (!bytes.IsEmpty)
        {
            if (MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout) != DecodeStatus.Ok)
            {
                throw new InvalidOperationException("the worker has written what is no message");
            }

            Take(new MessageView(in layout, bytes));
            bytes = bytes[layout.TotalBytes..];
        }

        _output.Clear();
    }

    private void Take(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        OpenCall call = _calls[layout.Channel];
        if (layout.Shape == ArgumentShape.Data)
        {
            call.Chunks.Add(message.Data.ToArray());
            return;
        }

        _calls.Remove(layout.Channel);
        AppError? error = layout.Shape == ArgumentShape.Error
            ? new AppError(layout.Category, layout.Code, Encoding.UTF8.GetString(message.Text)) : null;
        call.Answered.SetResult(new AppAnswer(call.Chunks, error));
    }

    private sealed record OpenCall(List<byte[]> Chunks, TaskCompletionSource<AppAnswer> Answered);

    /// <summary>Wakes the slave's thread for calls of other threads, as long as there is one.</summary>
    private sealed class WorkBell(BlockingCollection<Action> work) : Doorbell
    {
        public override void Ring()
        {
            try
            {
                work.Add(static () => { });
            }
            catch (InvalidOperationException)
            {
                // the runner is disposed: nobody waits for the call
            }
        }
    }
}
