namespace Cocaine.Fast.Transport.Loop;

/// <summary>A sender whose send goes with the others of a turn: see <see cref="SendBatch"/>.</summary>
internal interface IBatchedSender
{
    /// <summary>The send is over.</summary>
    /// <param name="result">Bytes that were sent, or a negative errno.</param>
    void OnResult(int result);
}
