using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Cocaine.Fast.Worker;

/// <summary>
/// For asynchronous handlers that shall make no garbage:
/// <c>[AsyncMethodBuilder(typeof(PooledHandlerMethodBuilder))] async ValueTask Handle(Request request, Response response)</c>.
/// A handler that waits is an object meanwhile. The builder keeps these objects for later calls, as many as wait at once; the runtime's own
/// pooling builder keeps two, and with a third waiting handler each job gives up its request's memory as well (<see cref="JobHolders"/>).
/// The returned task may be awaited once.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Advanced)]
[SuppressMessage("Performance", "CA1815", Justification = "The compiler's pattern of a builder: nobody compares builders.")]
public struct PooledHandlerMethodBuilder
{
    private WaitingHandler? _waiting;  // null until the method waits
    private Exception? _failure;       // of a method that has not waited

    /// <summary>The compiler's: a builder for one call.</summary>
    public static PooledHandlerMethodBuilder Create() => default;

    /// <summary>The compiler's: the call's task.</summary>
    public readonly ValueTask Task => _waiting is { } waiting ? new ValueTask(waiting, waiting.Version)
        : _failure is { } failure ? ValueTask.FromException(failure) : default;

    /// <summary>The compiler's: runs the method until it waits or ends.</summary>
    public readonly void Start<TMachine>(ref TMachine machine)
        where TMachine : IAsyncStateMachine => default(AsyncValueTaskMethodBuilder).Start(ref machine);

    /// <summary>The compiler's: not used by structures.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine machine) => ArgumentNullException.ThrowIfNull(machine);

    /// <summary>The compiler's: the method waits.</summary>
    public void AwaitOnCompleted<TAwaiter, TMachine>(ref TAwaiter awaiter, ref TMachine machine)
        where TAwaiter : INotifyCompletion
        where TMachine : IAsyncStateMachine => awaiter.OnCompleted(Wait(ref machine));

    /// <summary>The compiler's: the method waits.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TMachine>(ref TAwaiter awaiter, ref TMachine machine)
        where TAwaiter : ICriticalNotifyCompletion
        where TMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Wait(ref machine));

    /// <summary>The compiler's: the method has returned.</summary>
    public readonly void SetResult() => _waiting?.End(null);

    /// <summary>The compiler's: the method has thrown.</summary>
    public void SetException(Exception exception)
    {
        if (_waiting is { } waiting)
        {
            waiting.End(exception);
        }
        else
        {
            _failure = exception;
        }
    }

    private Action Wait<TMachine>(ref TMachine machine)
        where TMachine : IAsyncStateMachine
    {
        if (_waiting is null)
        {
            WaitingHandler<TMachine> made = WaitingHandler<TMachine>.Rent();
            _waiting = made; // before the copy: the method goes on with the builder that the copy has
            made.Machine = machine;
        }

        _waiting.Context = ExecutionContext.Capture();
        return _waiting.GoOn;
    }
}

/// <summary>A handler that waits, and its task.</summary>
internal abstract class WaitingHandler : IValueTaskSource
{
    private static readonly ContextCallback Move = static waiting => ((WaitingHandler)waiting!).MoveNext();

    private ManualResetValueTaskSourceCore<bool> _task;

    protected WaitingHandler() => GoOn = Continue;

    public short Version => _task.Version;

    /// <summary>Runs the method from its wait on.</summary>
    public Action GoOn { get; }

    /// <summary>The context of the wait; null when its flow was suppressed.</summary>
    public ExecutionContext? Context { get; set; }

    /// <summary>The method has ended.</summary>
    public void End(Exception? failure)
    {
        if (failure is null)
        {
            _task.SetResult(true);
        }
        else
        {
            _task.SetException(failure);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        bool isDone = _task.GetStatus(token) != ValueTaskSourceStatus.Pending; // throws for a task that was awaited already
        try
        {
            _task.GetResult(token);
        }
        finally
        {
            if (isDone)
            {
                _task.Reset();
                Context = null;
                GiveBack();
            }
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _task.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _task.OnCompleted(continuation, state, token, flags);

    protected abstract void MoveNext();

    /// <summary>The object serves another call from now on.</summary>
    protected abstract void GiveBack();

    private void Continue()
    {
        if (Context is { } context)
        {
            ExecutionContext.Run(context, Move, this);
        }
        else
        {
            MoveNext();
        }
    }
}

/// <summary>A handler of one method that waits. Each thread keeps those that have ended on it.</summary>
internal sealed class WaitingHandler<TMachine> : WaitingHandler
    where TMachine : IAsyncStateMachine
{
    /// <summary>The most objects that a thread keeps for a method: as many as wait at once in a busy slave, some 200 bytes each.</summary>
    private const int MaxKept = 4096;

    [ThreadStatic]
    private static Stack<WaitingHandler<TMachine>>? _kept;

    public TMachine Machine = default!;

    public static WaitingHandler<TMachine> Rent() => _kept is { Count: > 0 } kept ? kept.Pop() : new WaitingHandler<TMachine>();

    protected override void MoveNext() => Machine.MoveNext();

    protected override void GiveBack()
    {
        Machine = default!; // the request and the response belong to a job that is over
        Stack<WaitingHandler<TMachine>> kept = _kept ??= new Stack<WaitingHandler<TMachine>>();
        if (kept.Count < MaxKept)
        {
            kept.Push(this);
        }
    }
}
