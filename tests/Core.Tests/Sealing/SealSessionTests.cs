using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Tests.Vectors;
using static Cocaine.Fast.Core.Tests.Sealing.SealVectors;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>Records of a session: they open once, at their place and unchanged; and none costs memory.</summary>
public class SealSessionTests
{
    private static readonly byte[] App = Encoding.UTF8.GetBytes(Text("app")), Event = Encoding.UTF8.GetBytes(Text("event"));

    [Fact]
    public void Records_of_another_library_are_read_and_the_product_makes_the_same()
    {
        foreach (JsonElement one in SealVectors.All.GetProperty("records").EnumerateArray())
        {
            bool toNode = one.GetProperty("direction").GetString() == "to-node";
            SealSession reader = Session(toNode ? SealSide.Node : SealSide.Client);
            long Number(string name) => one.GetProperty(name).GetInt64();
            long? Given(string name) => Number(name) is >= 0 and long given ? given : null;
            SealPolicy policy = new(Given("request_timeout"), Given("silence_timeout"), (int?)Given("retry_limit"), Number("urgent") == 1);
            RecordContext context = new(App, Event, policy, (ulong)Number("job"), (ulong)Number("chunk"));
            byte[] record = VectorFile.Hex(one.GetProperty("record").GetString()!), text = new byte[record.Length];
            Assert.Equal(SealFault.None, reader.Open(in context, new Payload(record), text, out OpenedRecord opened));
            Assert.Equal(one.GetProperty("text").GetString(), Convert.ToHexStringLower(text.AsSpan(0, opened.Length)));
            Assert.Equal(((ulong)Number("counter"), (RecordKind)Number("kind")), (opened.Counter, opened.Kind));

            SealSession writer = Session(toNode ? SealSide.Client : SealSide.Node);
            if (opened.Counter < 1000)
            {
                byte[] again = new byte[record.Length];
                while (writer.Sealed + 1 < opened.Counter)
                {
                    writer.Seal(in context, opened.Kind, new Payload(Array.Empty<byte>()), again);
                }

                writer.Seal(in context, opened.Kind, new Payload(text.AsSpan(0, opened.Length)), again);
                Assert.Equal(record, again);
            }
        }
    }

    [Fact]
    public void Each_changed_or_cut_byte_is_found()
    {
        (SealSession client, SealSession node) = Pair();
        RecordContext context = new(App, Event, default, 0, 0);
        byte[] record = new byte[100 + SealSession.OverheadBytes], text = new byte[record.Length + 1];
        client.Seal(in context, RecordKind.Last, new Payload(new byte[100]), record);
        for (int i = 0; i < record.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. record];
                changed[i] ^= (byte)(1 << bit);
                Assert.Equal(SealFault.CannotOpen, node.Open(in context, new Payload(changed), text, out _));
            }

            Assert.Equal(SealFault.CannotOpen, node.Open(in context, new Payload(record.AsSpan(0, i)), text, out _));
        }

        Assert.Equal(SealFault.CannotOpen, node.Open(in context, new Payload([.. record, 0]), text, out _));
        Assert.Equal(SealFault.None, node.Open(in context, new Payload(record), text, out _)); // the forgeries have used nothing up
        Assert.Equal(SealFault.Replayed, node.Open(in context, new Payload(record), text, out _));
    }

    [Fact]
    public void A_record_opens_at_its_place_only()
    {
        (SealSession client, SealSession node) = Pair();
        SealPolicy policy = new(1000, 500, 1, urgent: false);
        byte[] record = new byte[4 + SealSession.OverheadBytes], text = new byte[record.Length];
        client.Seal(new RecordContext(App, Event, policy, 0, 0), RecordKind.Last, new Payload(new byte[4]), record);
        SealFault Try(in RecordContext context) => node.Open(in context, new Payload(record), text, out _);
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext("shopp"u8, Event, policy, 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, "drop"u8, policy, 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext("sho"u8, "p\0rechnung"u8, policy, 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, policy, 2, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, policy, 0, 1)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, default, 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, new SealPolicy(1000, 500, 1, urgent: true), 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, new SealPolicy(1001, 500, 1, urgent: false), 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, new SealPolicy(1000, 501, 1, urgent: false), 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, new SealPolicy(1000, 500, 2, urgent: false), 0, 0)));
        Assert.Equal(SealFault.CannotOpen, Try(new RecordContext(App, Event, new SealPolicy(1000, 500, null, urgent: false), 0, 0)));
        Assert.Equal(SealFault.CannotOpen, client.Open(new RecordContext(App, Event, policy, 0, 0), new Payload(record), text, out _)); // back to its maker
        Assert.Equal(SealFault.None, Try(new RecordContext(App, Event, policy, 0, 0)));
    }

    [Fact]
    public void Records_of_another_session_do_not_open()
    {
        (SealSession client, _) = Pair();
        (_, SealSession node) = Pair();
        RecordContext context = new(App, Event, default, 0, 0);
        byte[] record = new byte[SealSession.OverheadBytes];
        client.Seal(in context, RecordKind.Last, new Payload(Array.Empty<byte>()), record);
        Assert.Equal(SealFault.CannotOpen, node.Open(in context, new Payload(record), new byte[64], out _));
    }

    [Fact]
    public void The_window_takes_each_counter_once_in_any_order()
    {
        SimRandom random = new(7);
        ReplayWindow window = new();
        HashSet<ulong> seen = [];
        ulong highest = 0;
        Assert.False(window.IsNew(0));
        for (int i = 0; i < 300_000; i++)
        {
            ulong counter = random.Below(500) == 0 ? highest + (ulong)random.Below(5000)
                : highest + 3 > (ulong)random.Below(1100) ? highest + 3 - (ulong)random.Below((int)Math.Min(1100, highest + 3)) : 1;
            bool expected = counter > highest || (counter > 0 && highest - counter < ReplayWindow.Size && !seen.Contains(counter));
            Assert.Equal(expected, window.IsNew(counter));
            if (expected)
            {
                window.Add(counter);
                seen.Add(counter);
                highest = Math.Max(highest, counter);
            }
        }

        Assert.True(seen.Count > 50_000, $"{seen.Count} counters: the test tests little");
    }

    [Fact]
    public void The_last_record_is_the_last()
    {
        SealDirection direction = new(new OpeningSecret(Made, new byte[32]), toNode: true);
        RecordContext context = new(App, Event, default, 1, 0);
        byte[] field = [0, 0, 0, 1, 0, 0, 0, 1];
        Assert.Equal(SealFault.CannotOpen, direction.Open(in context, true, field, [], new byte[16], out _)); // a counter over the last one
    }

    [Fact]
    public void Sealing_and_opening_allocate_nothing()
    {
        (SealSession client, SealSession node) = Pair();
        byte[] record = new byte[4096 + SealSession.OverheadBytes], text = new byte[4096];
        int refused = 0;
        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                RecordContext context = new(App, Event, default, 0, 0);
                client.Seal(in context, RecordKind.Last, new Payload(text), record);
                refused += node.Open(in context, new Payload(record), text, out _) == SealFault.None ? 0 : 1;
            }
        }

        Run(1000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(10_000);
        Assert.Equal((0, 0), (GC.GetAllocatedBytesForCurrentThread() - before, refused));
    }

    internal static (SealSession Client, SealSession Node) Pair()
    {
        Assert.Equal(SealFault.None, Gate().Open(Opening(out SealSession client), NowS * 1000, 0, out SealSession? node));
        return (client, node!);
    }

    private static SealSession Session(SealSide side) =>
        new(new OpeningSecret(Made, VectorFile.Hex(Text("key"))), OpeningSecret.SessionId(Made), side, "billing", SenderName);
}
