namespace Cocaine.Fast.Node.Daemon;

/// <summary>One change at a time for each app; changes of different apps do not wait for each other.</summary>
internal sealed class NameGates
{
    private readonly Dictionary<string, Gate> _gates = []; // those with someone inside or waiting
    private readonly Lock _lock = new();

    /// <summary>Waits until nobody else changes the app. With <paramref name="giveUp"/> who is inside is asked to give up.</summary>
    public async Task<Lease> EnterAsync(string name, bool giveUp, CancellationToken cancellation)
    {
        Gate? gate;
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
        }

        try
        {
            await gate.Free.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            Leave(name, gate);
            throw;
        }

        CancellationTokenSource inside = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        lock (_lock)
        {
            gate.Inside = inside;
        }

        return new Lease(this, name, gate, inside);
    }

    private void Leave(string name, Gate gate)
    {
        lock (_lock)
        {
            if (--gate.Users == 0)
            {
                _gates.Remove(name);
                gate.Free.Dispose();
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
        private bool _given; // it was given back; under the owner's lock

        internal Lease(NameGates owner, string name, Gate gate, CancellationTokenSource inside)
        {
            _owner = owner;
            _name = name;
            _gate = gate;
            _inside = inside;
        }

        /// <summary>Fires when whoever asked goes away, or when the app is to be deleted.</summary>
        public CancellationToken GivenUp => _inside.Token;

        public void Dispose()
        {
            lock (_owner._lock)
            {
                if (_given)
                {
                    return; // a right that is given back twice would let two in at once
                }

                _given = true;
                _gate.Inside = null;
                _inside.Dispose();
            }

            _gate.Free.Release();
            _owner.Leave(_name, _gate);
        }
    }

    internal sealed class Gate
    {
        public SemaphoreSlim Free { get; } = new(1);

        /// <summary>Of who is inside; null when nobody is. Under the lock.</summary>
        public CancellationTokenSource? Inside { get; set; }

        /// <summary>Who is inside or waits. Under the lock.</summary>
        public int Users { get; set; }
    }
}
