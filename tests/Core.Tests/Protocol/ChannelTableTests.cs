using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Protocol;

/// <summary>The table of open channels against a dictionary, also with numbers that are picked to collide.</summary>
public class ChannelTableTests
{
    [Fact]
    public void It_holds_what_a_dictionary_holds() =>
        Gen.Select(Gen.ULong[1, 64], Gen.OneOf(Gen.Const(1UL), Gen.Const(8UL), Gen.Const(1UL << 16), Gen.Const(1UL << 40)),
            Gen.Int[0, 2]).Array[1, 300].Sample(steps =>
        {
            ChannelTable<string> table = new();
            Dictionary<ulong, string> model = [];
            foreach ((ulong low, ulong stride, int what) in steps)
            {
                ulong number = low * stride;
                if (what < 2 && !model.ContainsKey(number))
                {
                    model.Add(number, $"{number}");
                    table.Add(number, $"{number}");
                }
                else if (what == 2)
                {
                    Assert.Equal(model.Remove(number, out string? expected), table.Remove(number, out string? found));
                    Assert.Equal(expected, found);
                }

                Assert.Equal(model.TryGetValue(number, out string? there), table.TryGet(number, out string? seen));
                Assert.Equal(there, seen);
                Assert.Equal(model.Count, table.Count);
            }

            Assert.Equal(model.OrderBy(pair => pair.Key).Select(pair => pair.Value), table.ToList());
            Assert.Equal(model.Count, table.TakeAll().Count);
            Assert.Equal(0, table.Count);
        });
}
