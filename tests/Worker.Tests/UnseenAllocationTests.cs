using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Worker.Serving;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>The objects of a job serve the next one unless its handler allocated; what the SDK allocates meanwhile is not the handler's.</summary>
public sealed class UnseenAllocationTests : IDisposable
{
    private readonly EventDescriptor _bell = new();
    private object? _kept;

    public void Dispose() => _bell.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_that_are_taken_within_a_handler_are_not_charged_to_it(bool handlerAllocates)
    {
        LoopSeat seat = new() { Look = () => _kept = new byte[64 << 10] }; // the request of another job comes
        LoopInbox inbox = new(_bell, seat, (in LoopCall _) => { });
        JobHolders holders = new(inbox);
        ReadyHandlers ready = new();
        AnswerHold hold = new(seat, new AnswerWriter(new MemorySink(), () => 0, inbox, ready, () => { }), ready, holders);
        holders.Begin(new ObjectUse(isShared: true));
        for (int i = 0; i < 3; i++) // the first calls of methods may allocate
        {
            holders.EnterHandler();
            hold.Look();
            if (i == 2 && handlerAllocates)
            {
                _kept = new object();
            }

            holders.LeaveHandler();
        }

        Assert.Equal(handlerAllocates ? Sharing.Anybody : Sharing.Nobody, holders.Sharing);
        Assert.NotNull(_kept);
    }

    /// <summary>The answers of a burst wait for a node that does not read, and are sent; the next burst needs no new memory.</summary>
    [Theory]
    [InlineData(64 << 10, 8)]
    [InlineData(64 << 10, 24)]
    [InlineData(1000, 900)]
    [InlineData(200 << 10, 4)]
    public void A_burst_of_answers_allocates_once(int sizeBytes, int answers)
    {
        SendBuffer buffer = new();
        byte[] chunk = new byte[sizeBytes];
        long before = 0;
        for (int burst = 0; burst < 50; burst++)
        {
            before = burst == 10 ? GC.GetAllocatedBytesForCurrentThread() : before; // by then the block has its size
            for (int i = 0; i < answers; i++)
            {
                MessageWriter.WriteChunk(buffer, (ulong)(i + 2), new Payload(chunk), bin: true);
                MessageWriter.WriteClose(buffer, (ulong)(i + 2));
                if (i == answers / 2)
                {
                    buffer.OnSent(sizeBytes / 3);
                }
            }

            buffer.OnSent(buffer.Unsent.Length);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
