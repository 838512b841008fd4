using System.Text;
using Cocaine.Fast.Drivers.FileSystem;
using Xunit.Abstractions;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>Changes that wait are merged, and what they come to is what there is.</summary>
public sealed class BurstTests(ITestOutputHelper output)
{
    [Fact]
    public void Who_applies_the_merged_changes_knows_what_is_there_whatever_was_done()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), out int given) ? given : Environment.TickCount;
        output.WriteLine($"COCAINE_FUZZ_SEED={seed}");
        for (int round = 0; round < 2000; round++)
        {
            Burst burst = new(1000);
            FileModel disk = new(burst, new Random(seed + round));
            Mirror mirror = new();
            for (int i = 0; i < 40; i++)
            {
                disk.DoOne();
                if (i % 7 == round % 7)
                {
                    mirror.Take(burst);
                }
            }

            mirror.Take(burst);
            Assert.True(disk.Names.SetEquals(mirror.Names),
                $"seed {seed + round}: there is {string.Join(' ', disk.Names)}, and heard of were {string.Join(' ', mirror.Names)}");
            Assert.Equal((0, null), (burst.Count, burst.First));
        }
    }

    [Fact]
    public void A_file_that_is_made_and_written_is_created_once()
    {
        Burst burst = new(10);
        burst.Created("a"u8, isFolder: false);
        burst.Modified("a"u8);
        burst.Modified("a"u8);
        Assert.Equal(["Created a"], Taken(burst));
    }

    [Fact]
    public void A_save_by_a_temporary_name_is_a_change_of_the_file()
    {
        Burst burst = new(10);
        burst.Created("a.tmp"u8, isFolder: false);
        burst.Modified("a.tmp"u8);
        burst.Moved("a.tmp"u8, "a"u8, isFolder: false, replaced: true);
        Assert.Equal(["Modified a"], Taken(burst));
    }

    [Fact]
    public void A_file_that_is_deleted_and_made_again_is_modified()
    {
        Burst burst = new(10);
        burst.Deleted("a"u8, isFolder: false);
        burst.Created("a"u8, isFolder: false);
        Assert.Equal(["Modified a"], Taken(burst));
    }

    [Fact]
    public void A_file_that_is_moved_and_then_deleted_was_deleted_where_it_stood()
    {
        Burst burst = new(10);
        burst.Moved("a"u8, "b"u8, isFolder: false, replaced: false);
        burst.Deleted("b"u8, isFolder: false);
        Assert.Equal(["Deleted a"], Taken(burst));
    }

    [Fact]
    public void A_file_that_is_written_and_then_moved_is_modified_under_its_new_name()
    {
        Burst burst = new(10);
        burst.Modified("log"u8);
        burst.Moved("log"u8, "log.1"u8, isFolder: false, replaced: false);
        burst.Created("log"u8, isFolder: false);
        Assert.Equal(["Moved log.1", "Modified log.1", "Created log"], Taken(burst));
    }

    [Fact]
    public void Content_that_is_gone_when_it_is_told_is_told_again_where_the_file_turns_up()
    {
        Burst burst = new(10);
        burst.Created("a"u8, isFolder: false);
        burst.First!.IsMissed = true;
        Assert.Equal(["Created a"], Taken(burst));
        burst.Moved("a"u8, "f/a"u8, isFolder: false, replaced: false);
        burst.First!.Next!.IsMissed = true;
        Assert.Equal(["Moved f/a", "Modified f/a"], Taken(burst));
        burst.Moved("f"u8, "g"u8, isFolder: true, replaced: false);
        Assert.Equal(["Moved g", "Modified g/a"], Taken(burst));
    }

    [Fact]
    public void What_is_delivered_is_not_merged_with_what_comes()
    {
        Burst burst = new(10);
        burst.Created("a"u8, isFolder: false);
        Assert.Equal(["Created a"], Taken(burst));
        burst.Modified("a"u8);
        Assert.Equal(["Modified a"], Taken(burst));
    }

    [Fact]
    public void A_burst_is_full_at_its_bound_and_takes_what_comes_all_the_same()
    {
        Burst burst = new(2);
        burst.Modified("a"u8);
        Assert.False(burst.IsFull);
        burst.Modified("b"u8);
        Assert.True(burst.IsFull);
        burst.Modified("c"u8);
        Assert.Equal(3, burst.Count);
        burst.RemoveFirst();
        burst.RemoveFirst();
        Assert.False(burst.IsFull);
    }

    private static List<string> Taken(Burst burst)
    {
        List<string> taken = [];
        while (burst.First is { } change)
        {
            taken.Add($"{change.Kind} {Encoding.UTF8.GetString(change.Name)}");
            burst.RemoveFirst();
        }

        return taken;
    }

    /// <summary>Names, as the merged changes tell of them.</summary>
    private sealed class Mirror
    {
        public SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

        public void Take(Burst burst)
        {
            while (burst.First is { } change)
            {
                string name = Encoding.UTF8.GetString(change.Name);
                switch (change.Kind)
                {
                    case ChangeKind.Deleted:
                        Names.Remove(name);
                        break;
                    case ChangeKind.Moved:
                        FileModel.Rename(Names, Encoding.UTF8.GetString(change.From!), name);
                        break;
                    default:
                        Names.Add(name);
                        break;
                }

                burst.RemoveFirst();
            }
        }
    }
}
