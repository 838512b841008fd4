using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Node.Tests.Control;

public class FeedTests
{
    private sealed record Item(int Number, long Lost = 0);

    private static Feed<Item> Create(int items, long bytes = 1000) => new(items, bytes, _ => 10, (item, lost) => item with { Lost = lost });

    [Fact]
    public async Task It_keeps_the_newest_within_both_bounds()
    {
        Feed<Item> few = Create(3), small = Create(100, bytes: 25);
        for (int i = 0; i < 10; i++)
        {
            few.Add(new Item(i));
            small.Add(new Item(i));
        }

        Assert.Equal("7 8 9", await ReadAsync(few.ReadAsync(null, follow: false)));
        Assert.Equal("8 9", await ReadAsync(small.ReadAsync(null, follow: false)));
        Assert.Equal("8", await ReadAsync(few.ReadAsync(item => item.Number == 8, follow: false)));
    }

    [Fact]
    public async Task A_slow_reader_loses_the_oldest_and_is_told_how_many()
    {
        Feed<Item> feed = Create(4);
        feed.Add(new Item(0));
        await using IAsyncEnumerator<Item> reader = feed.ReadAsync(null, follow: true).GetAsyncEnumerator();
        Assert.True(await reader.MoveNextAsync());
        for (int i = 1; i <= 10; i++)
        {
            feed.Add(new Item(i));
        }

        feed.End();
        List<Item> rest = [];
        while (await reader.MoveNextAsync())
        {
            rest.Add(reader.Current);
        }

        Assert.Equal([new Item(7, Lost: 6), new Item(8), new Item(9), new Item(10)], rest);
    }

    [Fact]
    public async Task What_waits_for_a_slow_reader_is_within_the_bytes_too()
    {
        Feed<Item> feed = Create(100, bytes: 25);
        await using IAsyncEnumerator<Item> reader = feed.ReadAsync(null, follow: true).GetAsyncEnumerator();
        ValueTask<bool> first = reader.MoveNextAsync(); // it follows from here on
        for (int i = 0; i <= 10; i++)
        {
            feed.Add(new Item(i));
        }

        feed.End();
        List<Item> all = [];
        for (bool more = await first; more; more = await reader.MoveNextAsync())
        {
            all.Add(reader.Current);
        }

        Assert.InRange(all.Count, 2, 3); // the first may have been taken as it came
        Assert.Equal([9, 10], all.Select(item => item.Number).TakeLast(2));
        Assert.Equal(11, all.Count + all.Sum(item => item.Lost));
    }

    private static async Task<string> ReadAsync(IAsyncEnumerable<Item> items) =>
        string.Join(' ', (await items.ToArrayAsync()).Select(item => item.Number));
}
