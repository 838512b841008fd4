namespace Cocaine.Fast.Transport.Loop;

/// <summary>A sender whose send may go together with the other sends of a turn: see <see cref="SendBatch"/>.</summary>
internal interface IBatchedSender
{
    /// <summary>The send is over.</summary>
    /// <param name="result">The number of sent bytes, or a negative errno.</param>
    void OnResult(int result);
}
