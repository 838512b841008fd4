using System.Security.Cryptography;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>
/// Whatever a relay does with the messages of sealed calls: the node makes no job that the sender has not made, none twice, and the sender
/// takes no answer for that of another call, nor a part of an answer for the whole.
/// </summary>
public class RelayScheduleTests
{
    private static readonly byte[] App = "shop"u8.ToArray();
    private static readonly byte[][] Events = ["pay"u8.ToArray(), "refund"u8.ToArray()];
    private static readonly SealPolicy[] Policies = [default, new SealPolicy(1000, null, 0, urgent: true)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_relay_makes_no_job_and_repeats_none(ulong part)
    {
        long whole = 0, begun = 0, answered = 0, refused = 0;
        World world = new();
        for (ulong i = 0; i < 25_000; i++)
        {
            world = i % 50 == 0 ? new World() : world; // schedules of one session can use the messages of those before
            world.Run(new SimRandom((part << 32) + i));
            if (i % 50 == 49)
            {
                (whole, begun, answered, refused) = (whole + world.Whole, begun + world.Begun, answered + world.Answered, refused + world.Refused);
            }
        }

        Assert.True(whole > 10_000 && begun > whole && answered > 5_000 && refused > 10_000,
            $"{begun} jobs begun, {whole} whole, {answered} answered, {refused} records refused: the test tests little");
    }

    /// <summary>A message on its way. Kind: i = invoke, c = chunk, e = close.</summary>
    private sealed record Message(char Kind, int Channel, int Event, int Policy, byte[] Record);

    /// <summary>A call as its sender made it.</summary>
    private sealed class Call(int number, int name, int policy, int chunks)
    {
        public int Number => number;

        public int Event => name;

        public int Policy => policy;

        public int Chunks => chunks;

        public SealedCall Client { get; } = new();

        public List<byte[]> Answer { get; } = [];
    }

    /// <summary>A job of the node: what came of a call.</summary>
    private sealed class Served(int name, int policy)
    {
        public int Event => name;

        public int Policy => policy;

        public SealedCall Node { get; } = new();

        public List<byte[]> Request { get; } = [];
    }

    private sealed class World
    {
        private readonly SealSession _client, _node;
        private readonly List<Call> _calls = [];
        private readonly List<Message> _seen = [];     // of this schedule and those before
        private readonly HashSet<int> _wholeCalls = [], _begunCalls = [];
        private readonly byte[] _text = new byte[256];

        public World()
        {
            byte[] key = RandomNumberGenerator.GetBytes(32), opening = RandomNumberGenerator.GetBytes(64);
            UInt128 id = OpeningSecret.SessionId(opening);
            _client = new SealSession(new OpeningSecret(opening, key), id, SealSide.Client, "", "");
            _node = new SealSession(new OpeningSecret(opening, key), id, SealSide.Node, "billing", "");
        }

        public long Whole => _wholeCalls.Count;

        public long Begun => _begunCalls.Count;

        public long Answered { get; private set; }

        public long Refused { get; private set; }

        public void Run(SimRandom random)
        {
            List<Message> sent = Send(random);
            Dictionary<int, Served> channels = [];
            List<(int Channel, byte[] Record)> answers = [];
            foreach (Message message in Misdeeds(random, sent))
            {
                Deliver(message, channels, answers);
            }

            foreach ((int channel, byte[] record) in MisdeedsOfAnswers(random, answers))
            {
                TakeAnswer(channel, record);
            }
        }

        private List<Message> Send(SimRandom random)
        {
            List<Message> sent = [];
            int count = random.Between(1, 3);
            for (int i = 0; i < count; i++)
            {
                Call call = new(_calls.Count, random.Below(2), random.Below(2), random.Between(1, 3));
                _calls.Add(call);
                call.Client.Begin(_client, isClient: true, App, Events[call.Event], in Policies[call.Policy]);
                sent.Add(new Message('i', call.Number, call.Event, call.Policy, []));
                for (int chunk = 0; chunk < call.Chunks; chunk++)
                {
                    byte[] text = RequestOf(call.Number, chunk), record = new byte[text.Length + SealSession.OverheadBytes];
                    Assert.True(call.Client.Seal(chunk == call.Chunks - 1 ? RecordKind.Last : RecordKind.More, new Payload(text), record));
                    sent.Add(new Message('c', call.Number, 0, 0, record));
                }

                sent.Add(new Message('e', call.Number, 0, 0, []));
            }

            return sent;
        }

        private List<Message> Misdeeds(SimRandom random, List<Message> sent)
        {
            List<Message> delivered = [.. sent];
            _seen.AddRange(sent);
            for (int misdeeds = random.Below(6); misdeeds > 0 && delivered.Count > 0; misdeeds--)
            {
                int at = random.Below(delivered.Count);
                Message one = delivered[at];
                switch (random.Below(9))
                {
                    case 0:
                        delivered.RemoveAt(at);
                        break;
                    case 1:
                        delivered.Insert(random.Below(delivered.Count + 1), one);
                        break;
                    case 2:
                        delivered.RemoveAt(at);
                        delivered.Insert(random.Below(delivered.Count + 1), one);
                        break;
                    case 3:
                        delivered[at] = one with { Channel = sent[random.Below(sent.Count)].Channel };
                        break;
                    case 4:
                        delivered[at] = one with { Event = 1 - one.Event };
                        break;
                    case 5:
                        delivered[at] = one with { Policy = 1 - one.Policy };
                        break;
                    case 6:
                        delivered.Insert(at, new Message('e', one.Channel, 0, 0, []));
                        break;
                    case 7:
                        delivered.Insert(at, random.Of(_seen) with { Channel = one.Channel });
                        break;
                    default:
                        int from = random.Below(_seen.Count); // a whole run of old messages on a channel of the relay's own
                        delivered.AddRange(_seen.GetRange(from, Math.Min(4, _seen.Count - from)).Select(old => old with { Channel = -1 }));
                        break;
                }
            }

            return delivered;
        }

        private void Deliver(Message message, Dictionary<int, Served> channels, List<(int Channel, byte[] Record)> answers)
        {
            if (message.Kind == 'i')
            {
                Served served = new(message.Event, message.Policy);
                served.Node.Begin(_node, isClient: false, App, Events[message.Event], in Policies[message.Policy]);
                channels.TryAdd(message.Channel, served);
            }
            else if (channels.TryGetValue(message.Channel, out Served? served))
            {
                if (message.Kind == 'e')
                {
                    channels.Remove(message.Channel);
                    if (served.Node.Got == SealedFlow.Ended)
                    {
                        Finish(served, message.Channel, answers);
                    }
                }
                else if (served.Node.Open(new Payload(message.Record), _text, out OpenedRecord opened) != SealFault.None)
                {
                    channels.Remove(message.Channel);
                    Refused++;
                }
                else
                {
                    served.Request.Add(_text[..opened.Length]);
                    CheckBegun(served);
                }
            }
        }

        /// <summary>A job has begun, or gone on: with the chunks of one call from its first one on, its event and its wishes.</summary>
        private void CheckBegun(Served served)
        {
            Call call = _calls[BitConverter.ToInt32(served.Request[0])];
            Assert.Equal((call.Event, call.Policy), (served.Event, served.Policy));
            Assert.Equal(RequestOf(call.Number, served.Request.Count - 1), served.Request[^1]);
            Assert.True(served.Request.Count > 1 || _begunCalls.Add(call.Number), "a job was made twice");
        }

        private void Finish(Served served, int channel, List<(int Channel, byte[] Record)> answers)
        {
            Call call = _calls[BitConverter.ToInt32(served.Request[0])];
            Assert.Equal(call.Chunks, served.Request.Count);
            Assert.True(_wholeCalls.Add(call.Number), "a job was done twice");
            for (int i = 0; i < 3; i++)
            {
                byte[] text = i == 2 ? [] : RequestOf(-1 - call.Number, i), record = new byte[text.Length + SealSession.OverheadBytes];
                Assert.True(served.Node.Seal(i == 2 ? RecordKind.Last : RecordKind.More, new Payload(text), record));
                answers.Add((channel < 0 ? call.Number : channel, record));
            }
        }

        private static List<(int Channel, byte[] Record)> MisdeedsOfAnswers(SimRandom random, List<(int Channel, byte[] Record)> answers)
        {
            List<(int Channel, byte[] Record)> delivered = [.. answers];
            for (int misdeeds = random.Below(4); misdeeds > 0 && delivered.Count > 0; misdeeds--)
            {
                int at = random.Below(delivered.Count), to = random.Below(delivered.Count);
                switch (random.Below(4))
                {
                    case 0:
                        delivered.RemoveAt(at);
                        break;
                    case 1:
                        delivered.Insert(to, delivered[at]);
                        break;
                    case 2:
                        (delivered[at], delivered[to]) = (delivered[to], delivered[at]);
                        break;
                    default:
                        delivered[at] = (delivered[to].Channel, delivered[at].Record);
                        break;
                }
            }

            return delivered;
        }

        private void TakeAnswer(int channel, byte[] record)
        {
            if (channel < 0 || channel >= _calls.Count || _calls[channel].Client.Got >= SealedFlow.Ended)
            {
                return;
            }

            Call call = _calls[channel];
            if (call.Client.Open(new Payload(record), _text, out OpenedRecord opened) != SealFault.None)
            {
                Refused++;
                return;
            }

            if (opened.Kind == RecordKind.Last)
            {
                Assert.Equal(2, call.Answer.Count);
                Assert.Contains(call.Number, _wholeCalls);
                Answered++;
                return;
            }

            call.Answer.Add(_text[..opened.Length]);
            Assert.Equal(RequestOf(-1 - call.Number, call.Answer.Count - 1), call.Answer[^1]);
        }

        private static byte[] RequestOf(int number, int chunk) => [.. BitConverter.GetBytes(number), (byte)chunk];
    }
}
