using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>Allows one change at a time for each app; changes of different apps do not wait for each other.</summary>
internal sealed class NameGates
{
    private readonly Dictionary<string, Gate> _gates = []; // gates with a caller inside or waiting
    private readonly Lock _lock = new();

    /// <summary>Waits until nobody else changes the app. With <paramref name="giveUp"/> the caller inside is asked to give up.</summary>
    public async Task<Lease> EnterAsync(string name, bool giveUp, CancellationToken cancellation)
    {
        Gate? gate;
        Task entered;
        lock (_lock)
        {
            if (!_gates.TryGetValue(name, out gate))
            {
                _gates.Add(name, gate = new Gate());
            }

            gate.Users++;
            if (giveUp)
            {
                gate.Inside?.Cancel();
            }

            entered = gate.EnterAsync();
        }

        try
        {
            await entered.WaitAsync(cancellation);
        }
        catch
        {
            Leave(name, gate, entered);
            throw;
        }

        CancellationTokenSource inside = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        lock (_lock)
        {
            gate.Inside = inside;
        }

        return new Lease(this, name, gate, inside, entered);
    }

    private void Leave(string name, Gate gate, Task entered)
    {
        lock (_lock)
        {
            gate.Leave(entered);
            if (--gate.Users == 0)
            {
                _gates.Remove(name);
            }
        }
    }

    /// <summary>The right to change an app, until it is disposed of.</summary>
    public sealed class Lease : IDisposable
    {
        private readonly NameGates _owner;
        private readonly string _name;
        private readonly Gate _gate;
        private readonly CancellationTokenSource _inside;
        private bool _given; // the right was given back; under the owner's lock
        private readonly Task _entered;

        internal Lease(NameGates owner, string name, Gate gate, CancellationTokenSource inside, Task entered)
        {
            _owner = owner;
            _name = name;
            _gate = gate;
            _inside = inside;
            _entered = entered;
        }

        /// <summary>Fires when the caller goes away, or when the app is to be deleted.</summary>
        public CancellationToken GivenUp => _inside.Token;

        public void Dispose()
        {
            lock (_owner._lock)
            {
                if (_given)
                {
                    return; // a right that is given back twice would let two callers in at once
                }

                _given = true;
                _gate.Inside = null;
                _inside.Dispose();
            }

            _owner.Leave(_name, _gate, _entered);
        }
    }

    internal sealed class Gate
    {
        private readonly LinkedList<TaskCompletionSource> _queue = []; // the first caller is inside, the others wait for their turn

        /// <summary>Completes when it is the caller's turn, in the order of the calls. Under the lock.</summary>
        public Task EnterAsync()
        {
            TaskCompletionSource turn = new();
            _queue.AddLast(turn);
            if (_queue.Count == 1)
            {
                turn.SetResult();
            }

            return turn.Task;
        }

        /// <summary>Ends the caller's turn, or its wait for it. Under the lock.</summary>
        public void Leave(Task entered)
        {
            bool wasFirst = _queue.First!.Value.Task == entered;
            _queue.Remove(_queue.First(turn => turn.Task == entered));
            if (wasFirst && _queue.First is { } next)
            {
                NodeThreads.Complete(next.Value);
            }
        }

        /// <summary>The token of the caller inside; null when there is none. Under the lock.</summary>
        public CancellationTokenSource? Inside { get; set; }

        /// <summary>The number of callers inside or waiting. Under the lock.</summary>
        public int Users { get; set; }
    }
}
