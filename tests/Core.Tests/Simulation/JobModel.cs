using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>
/// What must be true of every request, kept from what callers and slaves see. It is told of each event and throws at the first that breaks
/// a promise.
/// </summary>
internal sealed class JobModel(SimWorld world, EngineSettings settings)
{
    private readonly List<SimRequest> _all = [];
    private readonly List<SimRequest> _urgent = [];   // those that wait, in the order in which they must run
    private readonly List<SimRequest> _usual = [];
    private readonly List<SimRequest> _suspects = []; // those that wait for a slave of their own, urgent and others
    private int _lastGroup;

    public IReadOnlyList<SimRequest> All => _all;

    /// <summary>Accepted and not answered.</summary>
    public List<SimRequest> Open { get; } = [];

    public ulong Accepted { get; private set; }

    public ulong Done { get; private set; }

    public ulong Failed { get; private set; }

    public ulong Cancelled { get; private set; }

    public ulong Refused { get; private set; }

    /// <summary>Suspects that ran alone for as long as they may, and then had neighbours.</summary>
    public int Settled { get; private set; }

    public int Waiting => WaitingUsual + _suspects.Count + Placed;

    /// <summary>Those of them that stand in the rings of slaves.</summary>
    public int Placed => Open.Count(request => request.Phase == Phase.Placed);

    /// <summary>Those of them that any slave may have.</summary>
    public int WaitingUsual => _urgent.Count + _usual.Count;

    /// <summary>Waiting ones that came back from a slave that died: they go to the queue whether it is full or not.</summary>
    public int WaitingAgain => _urgent.Count(Returned) + _usual.Count(Returned) + _suspects.Count
        + Open.Count(request => request.Phase == Phase.Placed && Returned(request));

    public void Add(SimRequest request) => _all.Add(request);

    /// <summary>The engine has taken it.</summary>
    public void OnAccepted(SimRequest request)
    {
        Accepted++;
        if (request.Phase == Phase.Offered)
        {
            request.Phase = Phase.Waiting;
            request.QueuedMs = world.NowMs;
            Lane(request).Add(request);
        }

        if (request.IsOpen)
        {
            Open.Add(request);
        }
    }

    public void OnRefused(SimRequest request)
    {
        Require(request.Phase == Phase.Offered, request, "was refused although it was dispatched");
        request.Phase = Phase.Refused;
        Refused++;
    }

    public void OnCancelled(SimRequest request)
    {
        End(request, Phase.Cancelled);
        Cancelled++;
        Failed++;
    }

    /// <summary>A slave is told to run it.</summary>
    public SimRequest OnDispatch(SimLink link, int id)
    {
        SimRequest request = _all[id];
        Require(request.Phase is Phase.Offered or Phase.Waiting, request, "is run although nobody waits for a run");
        Require(link.IsReady, request, "is given to a slave that is not ready");
        Require(!link.IsKilled, request, "is given to a slave that is being killed");
        Require(!link.TerminateAsked, request, "is given to a slave that was told to end");
        Require(!link.Slave.IsRetired, request, "is given to a slave that was relieved");
        Require(link.Channels.Count - (link.Ending is null ? 0 : 1) < link.Concurrency, request,
            $"is one more than a slave may have: {link.Channels.Count} of {link.Concurrency}, and {link.Slave.Load} as the engine knows");
        Require(request.AnswerChunks == 0, request, "is run again although its answer has begun");
        Require(request.Runs < MostRuns(request), request, "is run more often than its retry-limit lets it");
        Settle(link, request);
        Predicate<SimChannel> isOfGroup = channel => channel.IsAlone && request.IsSuspect && channel.Request.Group == request.Group
            && channel.OpenedMs == world.NowMs;
        Require(!request.IsSuspect || link.Channels.TrueForAll(channel => channel == link.Ending || IsOld(channel) || isOfGroup(channel)), request,
            "is a suspect and not with its group");
        Require(!link.Channels.Exists(channel => channel.IsAlone && channel != link.Ending && !IsGivenUp(link, channel) && !isOfGroup(channel)), request,
            "is given to a slave that has a suspect");
        Require(request.Runs == 0 || !request.TooLargeToKeep, request, "is run again although its request was not kept");
        Require(world.NowMs < request.DeadlineMs, request, "is run after its deadline");
        Require(settings.QueueTimeoutMs == 0 || world.NowMs < request.WaitsSinceMs + settings.QueueTimeoutMs, request,
            "is run after its queue-timeout");
        if (request.Phase == Phase.Waiting)
        {
            List<SimRequest> lane = Lane(request);
            bool joins = link.Channels.Exists(isOfGroup);
            List<SimRequest> next = request.IsSuspect ? lane.FindAll(other => !joins || other.Group == request.Group) : lane;
            SimRequest first = request.IsSuspect ? next.Find(other => other.Policy.Urgent) ?? next[0] : next[0];
            Require(first == request || world.InDeath || MayJumpTheQueue(request), request, $"overtakes {first}");
            lane.Remove(request);
        }

        bool overtakes = _urgent.Count > 0 && !request.Policy.Urgent || request.Phase == Phase.Offered && WaitingUsual > 0;
        Require(!overtakes || request.IsSuspect || world.InDeath, request, "overtakes one that waits");
        request.Phase = Phase.OnSlave;
        request.Link = link;
        request.DispatchedMs = world.HeardMs;
        request.Runs++;
        world.Note($"{request} runs on slave {link.Slave.Generation}");
        return request;
    }

    /// <summary>A slave gets it ahead of its turn.</summary>
    public SimRequest OnPlaced(SimLink link, int id)
    {
        SimRequest request = _all[id];
        Require(request.Phase == Phase.Waiting && request.Ended && !request.IsSuspect, request, "is placed");
        Require(link is { IsReady: true, IsKilled: false, TerminateAsked: false, TellsBegun: true, Slave.IsRetired: false }, request,
            "is placed on a slave that takes no jobs");
        Require(link.Channels.Count >= link.Concurrency, request, "is placed on a slave that has room");
        Settle(link, request);
        Require(!link.Channels.Exists(channel => channel.IsAlone && channel != link.Ending && !IsGivenUp(link, channel)), request,
            "is placed on a slave that has a suspect");
        Require(world.NowMs < request.DeadlineMs, request, "is placed after its deadline");
        List<SimRequest> lane = Lane(request);
        SimRequest first = lane.Find(IsWhole) ?? request;
        Require(first == request || world.InDeath || MayPassWhole(request), request, $"overtakes {first}");
        Require(request.Policy.Urgent || !_urgent.Exists(IsWhole), request, "overtakes one that is urgent");
        lane.Remove(request);
        request.Phase = Phase.Placed;
        request.Link = link;
        request.PlacedMs = world.NowMs;
        world.Note($"{request} stands on slave {link.Slave.Generation}");
        return request;
    }

    /// <summary>The engine takes a placed one for running from now on; or one with an outcome, which the slave had begun by then.</summary>
    public void OnPromoted(SimChannel channel, SimLink link)
    {
        SimRequest request = channel.Request;
        if (!request.IsOpen)
        {
            link.Ahead.Remove(channel);
            link.Channels.Add(channel);
            return;
        }

        Require(request.Phase == Phase.Placed && request.Link == link, request, "runs in its turn");
        link.Ahead.Remove(channel);
        link.Channels.Add(channel);
        request.Phase = Phase.OnSlave;
        request.DispatchedMs = world.HeardMs;
        channel.Run = ++request.Runs;
        world.Note($"{request} runs in its turn on slave {link.Slave.Generation}");
    }

    /// <summary>The engine has asked, and knows that slaves have begun some of the calls that it has placed.</summary>
    public void LookForBegun()
    {
        foreach (SimLink link in world.Links)
        {
            foreach (SimChannel channel in link.Ahead.Where(channel => channel.Request.Job!.State == JobState.Running).ToArray())
            {
                Require(channel.Number <= link.Begun, channel.Request, "is taken for running although its slave has not begun it");
                OnPromoted(channel, link);
            }

            // Requests with an outcome that were not taken back: the slave had begun them, and is perhaps told nothing.
            foreach (SimChannel channel in link.Ahead.Where(channel => !channel.Request.IsOpen).ToArray())
            {
                Require(channel.Number <= link.Begun, channel.Request, "stays on a slave that has not begun it");
                OnPromoted(channel, link);
            }
        }
    }

    /// <summary>A slave's handler begins.</summary>
    public void OnBegun(SimChannel channel, SimLink link)
    {
        SimRequest request = channel.Request;
        bool isItsOwn = link.Channels.Contains(channel) || link.Ahead.Contains(channel);
        Require(isItsOwn, request, "is begun by a slave from which it was taken back");
        world.Note($"{request} is begun by slave {link.Slave.Generation}");
    }

    /// <summary>A slave is told that calls from this channel on are not its any more, but for those that it has begun.</summary>
    public void OnRecalled(SimLink link, ulong from)
    {
        world.Note($"slave {link.Slave.Generation} is told to forget {from} and later ones, and has begun {link.Begun}");
        SimChannel[] taken = [.. link.Channels.Concat(link.Ahead).Where(channel => channel.Number >= from).OrderByDescending(channel => channel.Number)];
        foreach (SimChannel channel in taken)
        {
            Require(channel.Number > link.Begun, channel.Request, "is taken back although its slave may have begun it");
            Require(channel.Request.Ended && channel.Request.AnswerChunks == 0 && !channel.Request.TooLargeToKeep, channel.Request, "is taken back and cannot be run again");
            PutBack(channel, link);
            link.Channels.Remove(channel);
            link.Ahead.Remove(channel);
        }

        while (link.Ahead.Count > 0 && link.Channels.Count < link.Concurrency && link.Ending is null)
        {
            OnPromoted(link.Ahead[0], link);
        }
    }

    /// <summary>It waits as it did before it was given to this slave.</summary>
    private void PutBack(SimChannel channel, SimLink link)
    {
        SimRequest request = channel.Request;
        if (request.Phase == Phase.Cancelled && link.Ahead.Contains(channel))
        {
            return; // this is why it is taken back
        }

        Require(request.IsOpen && request.Link == link, request, "is taken back");
        Require(!channel.IsBegun, request, "is taken back although it is begun");
        request.CameBack |= request.Phase == Phase.OnSlave;
        request.Runs -= request.Phase == Phase.OnSlave ? 1 : 0;
        request.Phase = Phase.Waiting;
        request.QueuedMs = world.NowMs;
        request.Link = null;
        List<SimRequest> lane = Lane(request);
        int others = request.Runs > 0 || request.IsSuspect ? 0 : lane.FindIndex(other => !Again(other));
        lane.Insert(others < 0 ? lane.Count : others, request);
        world.Note($"{request} comes back");
    }

    public void OnRequestChunk(SimChannel channel, Label label)
    {
        SimRequest request = channel.Request;
        Require(label.Request == request.Id, request, $"'s slave gets a piece of request {label.Request}");
        Require(label.Place == channel.RequestChunks, request, $"'s slave gets piece {label.Place} and not {channel.RequestChunks}");
        channel.RequestChunks++;
        Require(channel.RequestChunks <= request.SentChunks, request, "'s slave gets more than was sent");
    }

    /// <summary>The slave is told that the request is whole.</summary>
    public void OnRequestEnd(SimChannel channel, SimLink link)
    {
        SimRequest request = channel.Request;
        bool ofItsOwn = link.Ending == channel || !request.IsOpen;
        Require(ofItsOwn || (request.Ended && channel.RequestChunks == request.SentChunks), request, "'s slave gets the end too early");
    }

    public void OnAnswerChunk(SimRequest request, Label label)
    {
        Require(request.Phase == Phase.OnSlave, request, "gets a piece of an answer");
        Require(label.Request == request.Id, request, $"gets the answer of request {label.Request}");
        Require(label.Run == request.Runs, request, $"gets a piece of run {label.Run}");
        Require(label.Place == request.AnswerChunks, request, $"gets piece {label.Place} and not {request.AnswerChunks}");
        request.AnswerChunks++;
    }

    /// <summary>A request is answered: 0 = done, −1 = the app's error, else our code.</summary>
    public void OnOutcome(SimRequest request, int code)
    {
        Phase before = request.Phase;
        world.Note($"{request} ends with {code}");
        End(request, Phase.Answered);
        Require(!request.IsQuarantined || code == 502, request, "was quarantined, and did not fail of it");
        switch (code)
        {
            case 0:
                Require(before == Phase.OnSlave, request, "is done although no slave has it");
                Require(request.Link!.Ending?.Request == request, request, "is done although its slave did not say so");
                Require(request.Link.Ending!.AnswerChunks == request.AnswerChunks, request, "is done without all of its answer");
                Done++;
                return;
            case 520:
                Require(world.NowMs >= request.DeadlineMs, request, "fails by a deadline that is not over");
                break;
            case 504 when before == Phase.Waiting:
                Require(settings.QueueTimeoutMs > 0 && world.NowMs >= request.WaitsSinceMs + settings.QueueTimeoutMs, request,
                    "fails by a queue-timeout that is not over");
                break;
            case 504 when request.Job is { RanTooLong: true }:
                Require(HasRunTooLong(request), request, "fails by a job-timeout that is not over");
                request.RanTooLong = true;
                break;
            case 504:
                Require(IsSilent(request), request, "fails by the silence of a slave that is not silent");
                request.EndedBySilence = request.Policy.SilenceTimeoutMs > 0;
                break;
            case 502:
                Require(before == Phase.Waiting && request.Runs > 0 && world.InDeath, request, "fails by a slave that did not die");
                Require(!MayRunAgain(request), request, "fails although it may be run again");
                Require(request.IsQuarantined || !world.KeepsQuarantine || request.Charges <= LimitOf(request), request, "is not quarantined");
                break;
            case 500:
                Require(!world.Links.Exists(Works), request, "fails although a slave works");
                Require(before == Phase.Waiting && world.Engine.Pool.IsBroken, request, "fails although the app is not broken");
                break;
            case 503:
                bool noRoom = before == Phase.Waiting && settings.QueueBytes > 0;
                Require(world.Engine.State == EngineState.Stopped || noRoom || request.Link?.Backlog > EngineLimits.MaxBacklogBytes, request,
                    "fails although the engine was not stopped");
                break;
            case -1:
                Require(request.Link?.Ending?.Request == request, request, "fails by an error of its app that the app did not send");
                break;
        }

        Failed++;
    }

    public void OnPressure(SimRequest request, bool high)
    {
        Require(request.IsOpen, request, "is told of pressure");
        Require(request.Pressed != high, request, $"is told of pressure {high} twice");
        request.Pressed = high;
    }

    /// <summary>Before the engine hears of it: those without a byte of an answer wait again, the oldest first; or they are failed.</summary>
    public void OnSlaveGone(SimLink link)
    {
        Settle(link, null);
        List<SimChannel> lost = LostWith(link);
        List<SimChannel> kept = lost.FindAll(channel => channel.IsAlone && IsKeptFor(link, channel));
        PutBackUnbegun(link);
        List<SimChannel> causes = kept.Count > 0 ? kept : lost;
        bool ofThem = link.Slave.State != SlaveState.Draining && !link.IsHung;
        int suspects = link.Channels.Count(channel => causes.Contains(channel) && Waits(channel));
        int group = ofThem && suspects > 0 && world.Engine.Scope.Concurrency > 1 ? _lastGroup + 1 : 0;
        int placed = 0;
        _lastGroup += 2;
        for (int i = link.Channels.Count - 1; i >= 0; i--)
        {
            SimRequest request = link.Channels[i].Request;
            if (Waits(link.Channels[i]))
            {
                bool isCause = causes.Contains(link.Channels[i]), isCharged = isCause && causes.Count == 1;
                request.Charges += ofThem && isCharged ? 1 : 0;
                request.Spared = Math.Min(request.Spared + (ofThem && !isCause ? 1 : 0), EngineLimits.MostSpared);
                request.InCompany = Math.Min(request.InCompany + (ofThem && isCause && !isCharged ? 1 : 0), EngineLimits.MostInCompany);
                request.Group = !ofThem || !isCause ? request.Group : group == 0 ? 0 : placed++ * 2 < suspects ? group : group + 1; // in halves
                request.Phase = Phase.Waiting;
                request.QueuedMs = world.NowMs;
                request.WaitsSinceMs = world.NowMs;
                request.Link = null;
                List<SimRequest> lane = Lane(request);
                lane.Insert(request.IsSuspect ? lane.Count : 0, request); // of a slave's suspects the newest runs first
            }
        }

        bool Waits(SimChannel channel) =>
            channel.Request.Phase == Phase.OnSlave && channel.Request.Link == link && channel.Request.Runs == channel.Run;
    }

    private static bool IsKeptFor(SimLink link, SimChannel channel) => channel.Request.Job is { } job && link.Slave.Solo.IsFor(job);

    /// <summary>The engine keeps the slave of a suspect for it no more: it has done so for as long as it must.</summary>
    private void Settle(SimLink link, SimRequest? next)
    {
        foreach (SimChannel channel in link.Channels.Where(channel => channel.IsAlone && channel != link.Ending
            && !IsKeptFor(link, channel) && !IsGivenUp(link, channel)))
        {
            Require(IsOld(channel), next ?? channel.Request, next is null ? "is kept alone no more" : "is given to a slave that has a suspect");
            channel.IsAlone = false;
            if (channel.Request.Phase == Phase.OnSlave && channel.Request.Link == link)
            {
                channel.Request.Group = 0;
                Settled++;
            }
        }
    }

    private bool IsOld(SimChannel channel) => world.NowMs - channel.OpenedMs >= EngineLimits.MaxAloneMs;

    /// <summary>What a slave that is gone had not begun, as it said itself, waits again; but not for ever, when it is the next one.</summary>
    private void PutBackUnbegun(SimLink link)
    {
        SimChannel[] all = [.. link.Channels.Concat(link.Ahead).OrderBy(channel => channel.Number)];
        List<SimChannel> begun = LostWith(link);
        if (begun.Count == 0 && Array.Find(all, channel => channel.Request.IsOpen) is { } next)
        {
            next.Request.Reprieves++;
        }

        for (int i = all.Length - 1; i >= 0; i--)
        {
            SimChannel channel = all[i];
            if (!begun.Contains(channel) && channel.Request.IsOpen)
            {
                PutBack(channel, link);
                link.Channels.Remove(channel);
                link.Ahead.Remove(channel);
            }
            else if (link.Ahead.Contains(channel))
            {
                OnPromoted(channel, link);
            }
        }

        link.Channels.Sort((one, other) => one.Number.CompareTo(other.Number));
    }

    /// <summary>The calls that a slave has begun, as far as the engine can know, or that cannot be run again: they are lost with it.</summary>
    public static List<SimChannel> LostWith(SimLink link)
    {
        SimChannel[] all = [.. link.Channels.Concat(link.Ahead).OrderBy(channel => channel.Number)];
        List<SimChannel> lost = [.. all.Where(channel => channel.Number <= link.Begun || channel.Request is { IsOpen: true, TooLargeToKeep: true })];
        if (lost.Count == 0 && Array.Find(all, channel => channel.Request.IsOpen) is { Request.Reprieves: >= EngineLimits.MostReprieves } next)
        {
            lost.Add(next);
        }

        return lost;
    }

    public static void Require(bool holds, SimRequest request, string what)
    {
        if (!holds)
        {
            throw new BrokenPromise($"{request} {what}");
        }
    }

    /// <summary>It would take the job when it has ended another.</summary>
    public static bool Works(SimLink link) => link is { IsReady: true, IsKilled: false, TerminateAsked: false, IsGone: false } && !link.Slave.IsRetired;

    /// <summary>A job goes to the quarantine: it has killed as many slaves as it may, once, and fails now.</summary>
    public void OnQuarantine(in QuarantinedJob job)
    {
        ulong id = job.JobId;
        SimRequest request = Open.Find(open => open.Job?.Id == id) ?? throw new BrokenPromise($"job {id} is quarantined, and is not open");
        Require(world.InDeath && !request.IsQuarantined, request, "is quarantined");
        request.IsQuarantined = true;
        Require(job.Deaths.Count == LimitOf(request) + 1, request, $"is quarantined after {job.Deaths.Count} deaths");
        Require(job.Deaths.Count == request.Charges, request, $"is quarantined after deaths of which {request.Charges} are its own");
        int place = 0;
        foreach (Payload chunk in job.Request)
        {
            Require(Label.Read(chunk.Span) == new Label(request.Id, 0, place), request, "is quarantined with another request");
            place++;
        }

        Require(!job.IsWhole || (request.Ended && place == request.SentChunks), request, "is quarantined as whole, and is not");
    }

    /// <summary>An adaptive queue may take the newest of those that have not run.</summary>
    private bool MayJumpTheQueue(SimRequest request)
    {
        List<SimRequest> lane = Lane(request);
        return settings.QueueOrder == QueueOrder.Adaptive && lane[^1] == request && !Again(lane[0]);
    }

    /// <summary>The same among those that can stand ahead: none of them came after it, and has not run.</summary>
    private bool MayPassWhole(SimRequest request)
    {
        List<SimRequest> lane = Lane(request);
        return settings.QueueOrder == QueueOrder.Adaptive && lane.FindLast(IsWhole) == request && !lane.Exists(other => Again(other) && IsWhole(other));
    }

    private static bool IsWhole(SimRequest request) => request is { Ended: true, TooLargeToKeep: false };

    private bool IsSilent(SimRequest request)
    {
        long heard = request.Link!.LastHeardMs, silence = request.Policy.SilenceTimeoutMs;
        return world.HeardMs >= heard + settings.HeartbeatTimeoutMs
            || (silence > 0 && world.HeardMs >= Math.Max(heard, request.DispatchedMs) + silence);
    }

    public bool MayRunAgain(SimRequest request) => request.AnswerChunks == 0 && !request.TooLargeToKeep && request.Runs < MostRuns(request)
        && world.Engine.State != EngineState.Stopped;

    private static bool Again(SimRequest request) => request.Runs > 0;

    private static bool Returned(SimRequest request) => request.Runs > 0 || request.CameBack;

    private bool HasRunTooLong(SimRequest request) =>
        settings.JobTimeoutMs > 0 && world.HeardMs >= request.DispatchedMs + settings.JobTimeoutMs;

    private int LimitOf(SimRequest request) => settings.RetryLimitOf(request.Policy.RetryLimit);

    /// <summary>One more for a death that nobody is charged with; a request that may run once is run once.</summary>
    private int MostRuns(SimRequest request) => LimitOf(request) == 0 ? 1 : LimitOf(request) + 1 + request.InCompany + request.Spared;

    /// <summary>Nobody waits for the end of this call any more: the slave's other places are of use.</summary>
    private bool IsGivenUp(SimLink link, SimChannel channel) => link.Slave.Channels.Abandoned > 0 && !channel.Request.IsOpen;

    private List<SimRequest> Lane(SimRequest request) => request.IsSuspect ? _suspects : request.Policy.Urgent ? _urgent : _usual;

    private void End(SimRequest request, Phase how)
    {
        Require(request.Phase is Phase.Waiting or Phase.Placed or Phase.OnSlave, request, "is answered");
        if (request.Phase == Phase.Waiting)
        {
            Lane(request).Remove(request);
        }

        request.Phase = how;
        request.EndedMs = world.HeardMs;
        Open.Remove(request);
    }
}
