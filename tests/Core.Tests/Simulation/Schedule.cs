using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>
/// A random schedule. Each run has its own mix of steps: what never happens in one run is frequent in another, so rare states are reached
/// (Groce et al., "Swarm testing", 2012).
/// </summary>
internal sealed class Schedule
{
    private const int MaxWeight = 8, HealStepMs = 100;

    /// <summary>Rounds of healing that must do: two for what ends and starts anew, and some to spare.</summary>
    private const int SpareRounds = 20;

    private readonly SimWorld _world;
    private readonly SimRandom _random;
    private readonly (Action Step, int Weight)[] _mix;
    private readonly int _sum;

    public Schedule(SimWorld world)
    {
        _world = world;
        _random = world.Random;
        Action[] steps =
        [
            () => Submit(whole: true), () => Submit(whole: true), () => Submit(whole: false), SendChunk, EndRequest, Cancel, Leave,
            Ready, Ready, Burst, Burst, Begin, Begin, Begin, ReadRecalls, Hear, Chunk, Chunk, End, End, Raise, Heartbeat, Late, Garbage, AskToEnd,
            Die, DieOfPoison, DieOfPoison, DieOfKill, DieOfKill,
            FailToStart, FailToStart, DieOnceReady, DieOnceReady, FillNode, Listen, BeSlow, LetGo, Press, MakeRoom, HoldRequest, ReadRequest, GoOnWithMuch,
            ReadPortions, ReadPortions,
            Turn, Turn, Sleep, Stall, Drain, StopNow,
        ];
        _mix = [.. steps.Select(step => (step, Weight(step)))];
        _sum = _mix.Sum(pair => pair.Weight);
    }

    /// <summary>Runs all of it, checking after each step.</summary>
    public void Run()
    {
        int steps = _random.Between(20, 200);
        for (int i = 0; i < steps; i++)
        {
            Step();
            SimChecks.AfterStep(_world);
            _world.TryKeepAlone();
        }

        Finish();
        SimChecks.AtEnd(_world);
    }

    private int Weight(Action step) =>
        step == Drain || step == StopNow ? (_random.Chance(10) ? 1 : 0)
        : step == Turn ? 1 + _random.Below(MaxWeight)
        : _random.Below(MaxWeight);

    private void Step()
    {
        int at = _random.Below(_sum);
        foreach ((Action step, int weight) in _mix)
        {
            at -= weight;
            if (at < 0)
            {
                step();
                return;
            }
        }
    }

    private void Submit(bool whole) => _world.Submit(_random.Of(_world.Callers), whole);

    /// <summary>Many short calls at once: slaves end some in no time, and get others ahead.</summary>
    private void Burst()
    {
        for (int i = _random.Between(3, 8); i > 0; i--)
        {
            Submit(whole: true);
            if (_random.Chance(40))
            {
                WithLink(link => link.IsReady && !link.IsPaused, link => link.BeginAll());
                End();
            }
        }
    }

    private void SendChunk() => WithOpen(_world.SendChunk);

    private void EndRequest() => WithOpen(_world.EndRequest);

    private void Cancel() => WithOpen(_world.Cancel);

    /// <summary>A caller's connection ends: all of its requests are given up, and it holds nobody back.</summary>
    private void Leave()
    {
        SimCaller caller = _random.Of(_world.Callers);
        foreach (SimRequest request in _world.Model.Open.Where(request => request.Caller == caller).ToArray())
        {
            if (request.IsOpen)
            {
                _world.Cancel(request);
            }
        }

        caller.LetGo();
    }

    private void Ready() => WithLink(link => !link.IsReady, link =>
    {
        _world.Note($"slave {link.Slave.Generation} is ready");
        link.BecomeReady();
    });

    private void Begin() => WithLink(link => link.CanBegin && !link.IsPaused, link =>
    {
        link.Begin();
        if (link.CanBegin && _random.Chance(70))
        {
            link.Begin();
        }
    });

    private void ReadRecalls() => WithLink(link => link.HasRecalls, link => link.ReadRecalls());

    private void Chunk() => WithChannel((link, channel) =>
    {
        if (channel.Request.IsOpen && _world.Sabotages(Sabotage.SkipsChunk))
        {
            link.AnswerChunk(channel, skip: 1);
            return;
        }

        link.AnswerChunk(channel);
    });

    private void End() => End(error: false);

    private void Raise() => End(error: true);

    private void End(bool error) => WithChannel((link, channel) =>
    {
        if (link.Ends(channel))
        {
            if (link.TellsBegun && _random.Chance(40))
            {
                link.EndUnheard(channel, error);
                return;
            }

            link.Hear();
            link.End(channel, error);
        }
    });

    /// <summary>The node reads what slaves have ended.</summary>
    private void Hear() => WithLink(link => !link.IsPaused, link => link.Hear());

    /// <summary>A slave that did not listen does: it ends its old calls late, after all.</summary>
    private void Listen() => WithLink(link => link.IsDeaf && _random.Chance(20), link => link.IsDeaf = false);

    private void Heartbeat() => WithLink(link => link.IsReady && !link.IsPaused, link => link.Heartbeat());

    private void Late() => WithLink(link => link.CanBeLate && !link.IsPaused, link => link.SendLate(_random.Below(3)));

    private void Garbage() => WithLink(link => link.IsReady && !link.IsPaused && !link.IsKilled, link => link.SendGarbage(_random.Below(4)));

    private void AskToEnd() => WithLink(link => link.IsReady && !link.IsPaused, link => link.AskToEnd());

    private void Die() => WithLink(link => true, link => _world.Die(link, "signal 9"));

    private void DieOfPoison() => WithLink(HasPoison, link => _world.Die(link, "signal 11"));

    /// <summary>A slave that starts fails, maybe while others work.</summary>
    private void FailToStart() => WithLink(link => !link.IsReady, link => _world.Die(link, "exit code 1"));

    /// <summary>A slave dies as soon as it is ready, before anything else happens.</summary>
    private void DieOnceReady() => WithLink(link => !link.IsReady && !link.IsKilled, link =>
    {
        _world.Note($"slave {link.Slave.Generation} is ready and dies");
        link.BecomeReady();
        if (_random.Chance(50))
        {
            link.Heartbeat();
        }

        if (!link.IsPaused)
        {
            _world.Die(link, "exit code 3");
        }
    });

    /// <summary>The node has room for so many slaves more.</summary>
    private void FillNode() => _world.Room = _random.Chance(50) ? int.MaxValue : _random.Below(3);

    /// <summary>Those that were killed, or told to end, do.</summary>
    private void DieOfKill() => WithLink(link => link.IsKilled || link.TerminateAsked, link => _world.Die(link, "as it was told"));

    private void BeSlow() => _random.Of(_world.Callers).IsSlow = true;

    private void LetGo() => _random.Of(_world.Callers).LetGo();

    private void HoldRequest() => TellFlow(holds: true);

    private void ReadRequest() => TellFlow(holds: false);

    /// <summary>A slave holds a request, whose caller sends more than the slave takes at once, and goes on.</summary>
    private void GoOnWithMuch() => WithLink(
        link => link is { IsReady: true, IsKilled: false, HasFlow: true } && link.BegunChannels.Any(channel => IsUpload(channel.Request)), link =>
        {
            SimChannel channel = link.BegunChannels.First(channel => IsUpload(channel.Request));
            link.TellFlow(channel.Number, holds: true);
            for (int i = _random.Between(2, 5); i > 0; i--)
            {
                _world.SendChunk(channel.Request);
            }

            _world.Pass(_random.Between(1, 30));
            if (link is { IsKilled: false } && link.BegunChannels.Contains(channel) && _random.Chance(80))
            {
                link.TellFlow(channel.Number, holds: false);
            }
        });

    private static bool IsUpload(SimRequest request) => request is { IsOpen: true, Ended: false };

    /// <summary>A slave has read what the node has sent it, and the node is told.</summary>
    private void ReadPortions() => WithLink(link => link.IsReadAsked, link => link.Read());

    private void TellFlow(bool holds) => WithLink(
        link => link is { IsReady: true, IsKilled: false, HasFlow: true }, link => link.TellFlow(link.AnyChannel(), holds));

    private void Press() => WithLink(link => link.IsReady, link =>
        link.Backlog = _random.Chance(10) ? EngineLimits.MaxBacklogBytes + 1 : EngineLimits.HighBacklogBytes + 1);

    private void MakeRoom() => WithLink(link => link.Backlog > 0, link =>
    {
        link.Backlog = 0;
        link.Slave.Pressure.Ease();
    });

    /// <summary>A turn of the loop: the clock moves on, messages come, and then what is due is done.</summary>
    private void Turn() => Advance(_random.Between(1, 50));

    private void Sleep() => Advance(_random.Between(100, 12_000));

    /// <summary>The node was stopped: others went on or were stopped too. It hears what they said, and only then judges them.</summary>
    private void Stall()
    {
        int ms = _random.Between(1000, 60_000);
        _world.Note($"the node is stopped for {ms} ms");
        _world.Stall(ms);
        Advance(0);
    }

    private void Advance(int ms)
    {
        _world.Pass(ms);
        if (_random.Chance(50))
        {
            (_random.Below(5) switch { 0 => Ready, 1 => End, 2 => Chunk, 3 => Begin, _ => (Action)Heartbeat })();
        }

        foreach (SimLink link in _world.Links.Where(link => link.IsDeaf && link.IsReady && !link.IsPaused && !link.IsKilled).ToArray())
        {
            if (_random.Chance(80))
            {
                link.Heartbeat();
            }
        }

        _world.FireTimers();
        SimChecks.AfterTimers(_world);
    }

    private void Drain()
    {
        if (_world.Engine.State == EngineState.Running)
        {
            _world.Note($"drain");
            _world.Drain();
        }
    }

    private void StopNow()
    {
        Drain();
        _world.Note($"stop now");
        _world.Engine.StopNow("the node stops");
    }

    /// <summary>Ends in one of three ways: all goes well again and is drained, drained while it mends, or stopped at once.</summary>
    private void Finish()
    {
        _world.ReentryPercent = 0;
        _world.IsHealing = true;
        _world.Room = int.MaxValue;
        int way = _random.Below(3);
        _world.Note($"the end, way {way}");
        if (way == 2)
        {
            StopNow();
        }
        else if (way == 1)
        {
            Drain();
        }

        // Starts and replacements that failed are tried again in this time, and places on slaves that do not listen are given up.
        long rounds = Math.Max(EngineLimits.MaxRestartPauseMs, _world.Settings.HeartbeatTimeoutMs) / HealStepMs + SpareRounds;
        for (int i = 0; i < rounds && _world.Model.Open.Count > 0; i++)
        {
            Heal();
        }

        Drain();
        for (int i = 0; i < rounds && _world.Stopped == 0; i++)
        {
            Heal();
        }
    }

    private void Heal()
    {
        _world.Callers.ForEach(caller => caller.LetGo());
        foreach (SimRequest request in _world.Model.Open.ToArray())
        {
            _world.EndRequest(request);
        }

        foreach (SimLink link in _world.Links.ToArray())
        {
            link.Backlog = 0;
            link.Slave.Pressure.Ease();
            if (link.IsReadAsked)
            {
                link.Read();
            }

            if (link.IsKilled || link.TerminateAsked)
            {
                _world.Die(link, "as it was told");
            }
            else if (!link.IsReady)
            {
                link.BecomeReady();
            }
            else if (HasPoison(link))
            {
                _world.Die(link, "signal 11");
            }
            else
            {
                link.Hear();
                link.BeginAll();
                foreach (SimChannel channel in link.BegunChannels.Where(link.Ends).ToArray())
                {
                    link.End(channel, error: false);
                }

                link.Heartbeat();
            }
        }

        SimChecks.AfterStep(_world);
        Advance(HealStepMs);
        SimChecks.AfterStep(_world);
    }

    private static bool HasPoison(SimLink link) => link.BegunChannels.Any(channel => channel.Request.IsPoison);

    private void WithOpen(Action<SimRequest> action)
    {
        if (_world.Model.Open.Count > 0)
        {
            action(_random.Of(_world.Model.Open));
        }
    }

    private void WithLink(Predicate<SimLink> usable, Action<SimLink> action)
    {
        List<SimLink> links = _world.Links;
        int start = links.Count == 0 ? 0 : _random.Below(links.Count);
        for (int i = 0; i < links.Count; i++)
        {
            SimLink link = links[(start + i) % links.Count];
            if (usable(link))
            {
                action(link);
                return;
            }
        }
    }

    private void WithChannel(Action<SimLink, SimChannel> action) =>
        WithLink(link => link.BegunChannels.Any() && !link.IsPaused, link => action(link, _random.Of(link.BegunChannels.ToList())));
}
