using System.Numerics;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// The shards of an app: the home, and those on further loops. Shards are added, and none is taken away before the app ends, because
/// clients may be connected to it. Lives on the home's loop.
/// </summary>
internal sealed class AppShards
{
    private readonly string _app;
    private readonly Action<Action<byte[]>> _askInfo;
    private readonly List<AppShard> _all = [];
    private IReadOnlyDictionary<string, HomeEndpoints> _spread = new Dictionary<string, HomeEndpoints>(); // tasks with drivers on each loop
    private int _count = 1;          // shards of the version that takes new jobs
    private int _nextConnection;
    private Func<AppShard, IShardLinks>? _openLinks; // null without a cluster
    private int _step;               // distance of two job numbers on a loop; grows

    /// <param name="app">The app's name.</param>
    /// <param name="home">The app on its first loop.</param>
    /// <param name="askInfo">Gives the app's info, on the home's loop.</param>
    /// <param name="loops">The loops of the app's first version.</param>
    public AppShards(string app, AppShard home, Action<Action<byte[]>> askInfo, IReadOnlyList<LoopBackend> loops)
    {
        _app = app;
        _askInfo = askInfo;
        _step = StepFor(loops.Count);
        _all.Add(home);
        home.Parts.Records?.Numbers.Widen(_step);
        AddFor(loops);
    }

    public IReadOnlyList<AppShard> All => _all;

    public AppShard Home => _all[0];

    private EventLoop Loop => Home.Loop;

    /// <summary>
    /// Does something with each shard on its loop: at once at home, and soon on the others. Then, once all have done it, calls back at
    /// home.
    /// </summary>
    public void OnEach(Action<AppShard> action, Action? done = null)
    {
        action(Home);
        OnOthers(action, done);
    }

    /// <summary>The same for all shards but the home.</summary>
    public void OnOthers(Action<AppShard> action, Action? done = null)
    {
        int left = _all.Count - 1;
        if (left == 0)
        {
            done?.Invoke();
            return;
        }

        void OnOne()
        {
            if (--left == 0)
            {
                done?.Invoke();
            }
        }

        foreach (AppShard shard in _all.Skip(1))
        {
            shard.Loop.Post(() =>
            {
                try
                {
                    action(shard);
                }
                finally
                {
                    Loop.Post(OnOne);
                }
            });
        }
    }

    /// <summary>Does something at home; completes once the other loops have done what came of it. From any thread.</summary>
    public async Task SettleAsync(Action action)
    {
        TaskCompletionSource done = new();
        await Loop.RunAsync(() =>
        {
            action();
            OnOthers(static _ => { }, () => NodeThreads.Complete(done)); // posted last: after everything that the action has posted
        });
        await done.Task;
    }

    /// <summary>Makes the shards that a version needs and the app does not have. They have no jobs before the version takes over.</summary>
    public void AddFor(IReadOnlyList<LoopBackend> loops)
    {
        for (int i = _all.Count; i < loops.Count; i++)
        {
            EventLoop loop = loops[i].Loop;
            AppParts parts = Home.Parts with
            {
                Loop = loop,
                Records = Home.Parts.ShardRecords(i, _step, _all.Max(shard => shard.LastJobId)),
            };
            TaskSet tasks = new(_app, parts, reply => Loop.Post(() => _askInfo(info => loop.Post(() => reply(info)))), static _ => { });
            AppShard added = new(i, parts, tasks);
            _all.Add(added);
            if (_openLinks is { } open)
            {
                loop.Post(() => added.Links = open(added));
            }
        }
    }

    /// <summary>The app's jobs may go to other nodes, and come from there, from now on.</summary>
    /// <param name="open">Makes the links of a shard, on its loop.</param>
    /// <param name="version">The version that takes new jobs.</param>
    public void LinkWith(Func<AppShard, IShardLinks> open, AppVersion version)
    {
        if (_openLinks is null)
        {
            _openLinks = open;
            OnEach(shard =>
            {
                shard.Links = open(shard);
                shard.UseForLinks(version);
            });
        }
    }

    /// <summary>
    /// Job numbers on each loop leave room for so many loops from now on. Completes when each loop does so: new shards are made after
    /// that. Every caller waits for all loops, since another caller's change may be under way.
    /// </summary>
    public async Task WidenAsync(int loops)
    {
        int step = 0;
        AppShard[] shards = [];
        await Loop.RunAsync(() =>
        {
            step = _step = Math.Max(_step, StepFor(loops)); // new shards have the step from now on
            shards = [.. _all];
        });
        await Task.WhenAll(shards.Select(shard => shard.Loop.RunAsync(() => shard.Parts.Records!.Numbers.Widen(step))));
    }

    /// <summary>
    /// The drivers on the further loops go to another version, a moment after those of the home. Until then their jobs go to the version
    /// before, which does not drain before that.
    /// </summary>
    public void Switch(AppVersion? before, AppVersion next, Action? done = null)
    {
        IReadOnlyDictionary<string, HomeEndpoints> spread = _spread = Home.Tasks.Spread;
        bool paused = next.Engine.IsPaused;
        _count = next.Engines.Count;
        Home.UseForLinks(next);
        OnOthers(shard => shard.Switch(before, next, spread, paused), done);
    }

    /// <summary>Gives a connection to one of the version's shards, each in its turn; false when it is the home's turn.</summary>
    public bool TryHand(string task, int descriptor)
    {
        if (_count == 1 || !_spread.ContainsKey(task))
        {
            return false;
        }

        _nextConnection = (_nextConnection + 1) % _count;
        if (_nextConnection == 0)
        {
            return false;
        }

        AppShard shard = _all[_nextConnection];
        shard.Loop.Post(() => shard.Take(task, descriptor));
        return true;
    }

    private static int StepFor(int loops) => (int)BitOperations.RoundUpToPowerOf2((uint)loops);
}
