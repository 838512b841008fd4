using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Tests.Loop;

/// <summary>The bytes of unfinished messages: their count, and the choice of the message that is given up. Only the time is not real.</summary>
public class PartialMessagesTests
{
    private const long MiB = 1 << 20;
    private readonly DeadlineWheel _patience = new(0);
    private readonly List<(Input Input, PartialFault Fault)> _refused = [];
    private long _nowMs;

    [Fact]
    public void A_message_without_a_byte_for_30_seconds_is_given_up_and_one_with_a_byte_a_second_before_is_not()
    {
        PartialMessages partials = Make(PartialMessages.UsualMaxBytes);
        Input silent = new(this), slow = new(this), excused = new(this);
        partials.Hold(silent, 100, isRead: true);
        partials.Hold(excused, 100, isRead: true);
        partials.Excuse(excused); // its connection does not read
        partials.Hold(slow, 1, isRead: true);
        for (long second = 1; second < 300; second++)
        {
            Advance(second * 1000);
            if (second % 29 == 0)
            {
                partials.Hold(slow, second, isRead: true);
            }

            Assert.Equal(second >= 30 ? [(silent, PartialFault.Stalled)] : [], _refused);
        }

        Assert.Equal(2 * BufferPool.BlockSizeBytes, partials.TotalBytes);
        partials.Release(slow);
        partials.Release(excused);
        Assert.Equal(0, partials.TotalBytes);
    }

    [Fact]
    public void Over_the_bound_the_largest_of_those_without_progress_goes_first()
    {
        PartialMessages partials = Make(200 * MiB);
        Input small = new(this), large = new(this), uploads = new(this);
        partials.Hold(small, 20 * MiB, isRead: true);
        partials.Hold(large, 60 * MiB, isRead: true);
        Advance(1000);
        for (long bytes = 1; bytes <= 120; bytes++)
        {
            partials.Hold(uploads, bytes * MiB, isRead: true);
            Advance(_nowMs + 10);
        }

        Assert.Empty(_refused);
        partials.Hold(uploads, 121 * MiB, isRead: true);
        Assert.Equal([(large, PartialFault.TooManyBytes)], _refused);
        Assert.Equal(141 * MiB, partials.TotalBytes);
    }

    [Fact]
    public void When_all_make_progress_the_largest_of_all_goes_so_that_the_bound_holds()
    {
        PartialMessages partials = Make(100 * MiB);
        Input[] inputs = [.. Enumerable.Range(0, 1000).Select(_ => new Input(this))];
        for (int bytes = 1; bytes <= 200; bytes++)
        {
            foreach (Input input in inputs)
            {
                if (!_refused.Exists(one => one.Input == input))
                {
                    partials.Hold(input, bytes << 10, isRead: true);
                    Assert.InRange(partials.TotalBytes, 0, 100 * MiB);
                }
            }

            Advance(_nowMs + 500);
        }

        Assert.NotEmpty(_refused);
    }

    [Fact]
    public void An_input_can_be_the_one_that_it_gives_up()
    {
        PartialMessages partials = Make(MiB);
        Input input = new(this);
        partials.Hold(input, 2 * MiB, isRead: true);
        Assert.Equal([(input, PartialFault.TooManyBytes)], _refused);
        Assert.Equal((0, 0), (partials.TotalBytes, input.HeldBytes));
    }

    /// <summary>A simple list beside it, which looks at every input each time.</summary>
    [Fact]
    public void It_agrees_with_a_simple_model_whatever_happens()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), out int given) ? given : Environment.TickCount;
        Random random = new(seed);
        for (int round = 0; round < 60; round++)
        {
            _refused.Clear();
            PartialMessages partials = Make(random.Next(1, 64) * MiB);
            Input[] inputs = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => new Input(this))];
            Dictionary<Input, (long Charge, bool IsRead, long ProgressMs)> model = [];
            for (int step = 0; step < 500; step++)
            {
                Input input = inputs[random.Next(inputs.Length)];
                switch (random.Next(8))
                {
                    case 0:
                        partials.Release(input);
                        model.Remove(input);
                        break;
                    case 1:
                        partials.Excuse(input);
                        if (model.TryGetValue(input, out var excused))
                        {
                            model[input] = excused with { IsRead = false };
                        }

                        break;
                    case 2:
                        Advance(_nowMs + random.Next(random.Next(40_000)));
                        IEnumerable<Input> due = model.Where(one => one.Value is { IsRead: true, Charge: > 0 } && one.Value.ProgressMs + 30_000 <= _nowMs).Select(one => one.Key);
                        Assert.True(due.ToHashSet().SetEquals(_refused.Select(one => one.Input)), $"seed {seed}");
                        Assert.All(_refused, one => Assert.Equal(PartialFault.Stalled, one.Fault));
                        _refused.ForEach(one => model.Remove(one.Input));
                        break;
                    default:
                        long bytes = random.Next(4) == 0 ? random.Next(3) * 4096 : random.NextInt64(1L << random.Next(1, 25));
                        bool isRead = random.Next(4) > 0;
                        model[input] = (PartialMessages.ChargeOf(bytes), isRead, _nowMs);
                        partials.Hold(input, bytes, isRead);
                        Settle(model, partials.MaxBytes, $"seed {seed}");
                        break;
                }

                _refused.Clear();
                Assert.True(model.Values.Sum(one => one.Charge) == partials.TotalBytes, $"seed {seed}");
                Assert.All(inputs, one => Assert.Equal(model.TryGetValue(one, out var held) ? held.Charge : 0, one.HeldBytes));
            }

            foreach (Input input in inputs)
            {
                partials.Release(input);
            }

            Assert.Equal(0, partials.TotalBytes);
        }
    }

    /// <summary>Each input that went was to go: within a quarter the largest of the silent ones, or of all when none is silent.</summary>
    private void Settle(Dictionary<Input, (long Charge, bool IsRead, long ProgressMs)> model, long max, string seed)
    {
        foreach ((Input gone, PartialFault fault) in _refused)
        {
            Assert.True(fault == PartialFault.TooManyBytes && model.Values.Sum(one => one.Charge) > max, seed);
            bool IsSilent(Input input) => model[input].ProgressMs + 1000 <= _nowMs;
            List<Input> read = [.. model.Keys.Where(one => model[one].IsRead && model[one].Charge > 0)];
            List<Input> from = read.Exists(IsSilent) ? read.FindAll(IsSilent) : read;
            Assert.Contains(gone, from);
            Assert.True(model[gone].Charge * 5 >= from.Max(one => model[one].Charge) * 4, seed);
            model.Remove(gone);
        }

        Assert.True(model.Values.Sum(one => one.Charge) <= max || !model.Values.Any(one => one.IsRead && one.Charge > 0), seed);
    }

    private PartialMessages Make(long maxBytes) => new(_patience, () => _nowMs) { MaxBytes = maxBytes };

    private void Advance(long nowMs)
    {
        _nowMs = nowMs;
        _patience.Advance(nowMs);
    }

    private sealed class Input(PartialMessagesTests test) : PartialInput
    {
        public override void OnRefused(PartialFault fault) => test._refused.Add((this, fault));
    }
}
