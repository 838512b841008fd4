using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Sharing;
using Cocaine.Fast.Core.Tests.Engine;

namespace Cocaine.Fast.Core.Tests.Sharing;

/// <summary>The shards of an app, each a world of its own; the test says when a message comes, in the order of each way.</summary>
internal sealed class Shards
{
    private readonly Queue<ShardMail>[] _mails;

    public Shards(int count, EngineSettings settings, bool fresh = false)
    {
        Worlds = [.. Enumerable.Range(0, count).Select(i => new World(settings, slaves: fresh && i > 0 ? 0 : 1))];
        _mails = [.. Worlds.Select(_ => new Queue<ShardMail>())];
        Siblings.Connect([.. Worlds.Select((world, i) => (world.Engine, (Action<ShardMail>)_mails[i].Enqueue))]);
    }

    /// <summary>A fresh app: the first shard alone has a slave.</summary>
    public static Shards Fresh(int count, EngineSettings settings) => new(count, settings, fresh: true);

    public IReadOnlyList<World> Worlds { get; }

    public World this[int shard] => Worlds[shard];

    public Siblings Of(int shard) => (Siblings)Worlds[shard].Engine.Scope.Siblings!;

    /// <summary>Messages on their way to a shard.</summary>
    public int MailsFor(int shard) => _mails[shard].Count;

    /// <summary>The next message for a shard comes, if there is one.</summary>
    public ShardMail? Deliver(int shard)
    {
        if (_mails[shard].TryDequeue(out ShardMail? mail))
        {
            mail.Run();
        }

        return mail;
    }

    /// <summary>All messages come, also those that follow from others.</summary>
    public void DeliverAll()
    {
        while (_mails.Any(mails => mails.Count > 0))
        {
            for (int i = 0; i < _mails.Length; i++)
            {
                Deliver(i);
            }
        }
    }

    public void Advance(long ms)
    {
        foreach (World world in Worlds)
        {
            world.Advance(ms);
        }
    }

    /// <summary>A slave of each shard is ready.</summary>
    public void ReadyAll()
    {
        for (int i = 0; i < 16; i++)
        {
            foreach (World world in Worlds)
            {
                world.Ready(0);
            }
        }
    }

    public void AssertCounts()
    {
        foreach (World world in Worlds)
        {
            world.AssertCounts();
        }
    }

    /// <summary>All jobs get their outcomes, and all engines stop.</summary>
    public void Finish()
    {
        for (int i = 0; i < 400 && Worlds.Any(world => world.Open.Count > 0); i++)
        {
            foreach (World world in Worlds)
            {
                world.EndTerminated();
                world.Ready(0);
                world.Close(i);
            }

            DeliverAll();
            Advance(200);
            AssertCounts();
        }

        Assert.All(Worlds, world => Assert.Empty(world.Open));
        int stopped = 0;
        foreach (World world in Worlds)
        {
            world.Engine.Drain(() => stopped++);
        }

        for (int i = 0; i < 100 && stopped < Worlds.Count; i++)
        {
            foreach (World world in Worlds)
            {
                world.Die(0);
            }

            DeliverAll();
        }

        Assert.Equal(Worlds.Count, stopped);
        AssertCounts();
    }
}
