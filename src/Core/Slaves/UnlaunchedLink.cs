using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>The link of a slave whose launch failed. The link leads nowhere, and the slave dies in the loop's next turn.</summary>
internal sealed class UnlaunchedLink(Action onKilled) : SlaveLink
{
    public override MessageSink Sink => throw new InvalidOperationException("a slave that was not launched gets no message");

    public override long BacklogBytes => 0;

    public override bool PeerSpeaksBin => true;

    public override string Kind => "none";

    public override int ProcessId => 0;

    public override void Flush()
    {
    }

    public override void AskForRead()
    {
    }

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void Kill(string reason) => onKilled();
}
