using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// The sealed jobs of a task whose socket has no way back. A body that does not open is dropped, counted and told to the audit, as is a
/// body without a seal where seals are required. Lives on the driver's loop.
/// </summary>
/// <param name="driver">The task's driver.</param>
/// <param name="context">The parts that the driver is made of.</param>
internal sealed class SealedFeed(FeedDriver driver, DriverContext context)
{
    private readonly NodeSeals _seals = context.Scope.Get(static () => NodeSeals.None);
    private readonly Stack<SealedJob> _free = new(); // as many as sessions were opened at the same time, and one

    /// <summary>The sealed requests that the task takes.</summary>
    public SealMode Mode { get; } = SealModes.Of(context.Task);

    /// <summary>Bodies that were dropped.</summary>
    public long Refused { get; private set; }

    /// <summary>Checks that the node can do what the task wants.</summary>
    /// <exception cref="IOException">The node has no keys.</exception>
    public void Check() => _seals.Check(Mode);

    /// <summary>The body says itself who sends it, or is refused because it does not.</summary>
    public bool Judges(in Payload body) => Mode == SealMode.Required || (Mode == SealMode.Accepted && SealedFrame.Is(in body));

    /// <summary>Makes a job of a sealed body, or refuses the body. Only for one that it judges.</summary>
    /// <param name="peer">The sender.</param>
    /// <param name="body">The body.</param>
    /// <param name="policy">The wishes of the envelope.</param>
    /// <param name="wishes">The wishes that the seal is tied to.</param>
    public void Take(ZeroMqConnection peer, in Payload body, in JobPolicy policy, in SealPolicy wishes)
    {
        if (SealedFrame.Is(in body))
        {
            (_free.TryPop(out SealedJob? job) ? job : new SealedJob(this)).Open(peer, in body, in policy, in wishes);
        }
        else
        {
            Refuse(peer, SealFault.NotSealed);
        }
    }

    private void Refuse(ZeroMqConnection peer, SealFault fault)
    {
        Refused++;
        driver.DenySeal(peer, fault);
    }

    private SealedBody NewBody() => new(context.Loop, context.Engine.Name, Encoding.UTF8.GetBytes(context.Task.Name));

    /// <summary>A sealed body, until its job is made or refused.</summary>
    private sealed class SealedJob
    {
        private readonly SealedFeed _feed;
        private readonly SealedBody _body;
        private readonly SealedText _onText;
        private ZeroMqConnection _peer = null!; // valid while the body is opened
        private JobPolicy _policy;              // valid while the body is opened

        public SealedJob(SealedFeed feed)
        {
            (_feed, _body) = (feed, feed.NewBody());
            _onText = OnText;
        }

        public void Open(ZeroMqConnection peer, in Payload body, in JobPolicy policy, in SealPolicy wishes)
        {
            (_peer, _policy) = (peer, policy);
            _body.Open(in body, in wishes, _feed._seals.Worker, _onText);
        }

        private void OnText(SealFault fault, ReadOnlySpan<byte> text)
        {
            if (fault != SealFault.None)
            {
                _feed.Refuse(_peer, fault);
            }
            else
            {
                _feed.Submit(_peer, _body.KeyName, text, in _policy);
            }

            _peer = null!;
            _feed._free.Push(this);
        }
    }

    private void Submit(ZeroMqConnection peer, string keyName, ReadOnlySpan<byte> text, in JobPolicy policy)
    {
        if (driver.AdmitsSealed(peer, keyName))
        {
            driver.Caller.TrySubmit(text, in policy);
        }
    }
}
