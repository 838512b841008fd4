using System.Buffers;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>
/// A call that may run twice: when its node falls silent, one second copy goes to another node, and the first answer counts. Each copy has
/// a buffer of its own, so the caller gets one whole answer.
/// </summary>
/// <param name="nodes">The nodes.</param>
/// <param name="run">Runs a copy: its node, the writer of its answer, and a token that ends it.</param>
internal sealed class CallCopies(NodeSet nodes, Func<Attempt, IBufferWriter<byte>, CancellationToken, Task<int>> run)
{
    /// <summary>The first bytes of an answer had come when the call failed.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Runs the call.</summary>
    /// <param name="first">The first node.</param>
    /// <param name="tried">The nodes that the call has tried, this one too; the second one is added.</param>
    /// <param name="answer">Gets the answer.</param>
    /// <param name="cancellation">Gives the call up.</param>
    public async Task<int> RunAsync(Attempt first, List<ClusterLink> tried, IBufferWriter<byte> answer, CancellationToken cancellation)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task silence = nodes.SilenceOf(first);
        List<Copy> copies = [new Copy(first, run, over.Token)];
        if (await Task.WhenAny(copies[0].Done, silence).ConfigureAwait(false) == silence && !copies[0].Done.IsCompleted
            && nodes.TryTakeOther(tried, out Attempt second))
        {
            tried.Add(second.Link);
            copies.Add(new Copy(second, run, over.Token));
        }

        while (true)
        {
            Task<int> done = await Task.WhenAny(copies.Select(copy => copy.Done)).ConfigureAwait(false);
            Copy copy = copies.Find(one => one.Done == done)!;
            copies.Remove(copy);
            if (copies.Count > 0 && !done.IsCompletedSuccessfully)
            {
                _ = done.Exception; // the other copy decides
                continue;
            }

            await over.CancelAsync().ConfigureAwait(false);
            copies.ForEach(other => _ = other.Done.ContinueWith(
                static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default));
            HasBegun = copy.Answer.WrittenCount > 0;
            int bytes = await done.ConfigureAwait(false);
            answer.Write(copy.Answer.WrittenSpan);
            return bytes;
        }
    }

    private sealed class Copy
    {
        public Copy(Attempt attempt, Func<Attempt, IBufferWriter<byte>, CancellationToken, Task<int>> run, CancellationToken over) =>
            Done = run(attempt, Answer, over);

        public ArrayBufferWriter<byte> Answer { get; } = new();

        public Task<int> Done { get; }
    }
}
