using Xunit.Sdk;

namespace Cocaine.Fast.Drivers.Tests.FileSystem;

/// <summary>Who applies the delivered changes in order has the folder: each name, kind and content. On a real file system.</summary>
public sealed class MirrorTests
{
    /// <summary>Rounds of one run, each with a seed of its own.</summary>
    private const int Rounds = 150;

    [Fact]
    public void A_mirror_is_right_whatever_was_done()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("COCAINE_FUZZ_SEED"), out int given) ? given : 1;
        for (int round = 0; round < Rounds; round++)
        {
            Random random = new(seed + round);
            using MonitoredFolder folder = new();
            FileOperations files = new(folder.Path, folder.Elsewhere, random);
            try
            {
                DoAndDeliver(folder, files, random);
            }
            catch (XunitException fault)
            {
                throw new XunitException($"COCAINE_FUZZ_SEED={seed + round}: {fault.Message}\ntold: {folder.Told}\ndone: {files.Done}");
            }
        }
    }

    /// <summary>Also whatever is done later to the names that took part: nothing of them is lost.</summary>
    [Theory]
    [InlineData("a", "b")]
    [InlineData("a", "folder/c")]
    [InlineData("folder", "other")]
    [InlineData("folder", "a")]
    [InlineData("a", "folder")]
    [InlineData("a", "../elsewhere/file")]
    [InlineData("../elsewhere/file", "a")]
    [InlineData("folder", "../elsewhere/folder")]
    [InlineData("../elsewhere/folder", "folder")]
    [InlineData("../elsewhere/folder", "a")]
    [InlineData("folder", "../elsewhere/file")]
    public void Two_names_that_are_exchanged_are_right_at_once_and_later(string one, string other)
    {
        foreach (bool isInOneBurst in (bool[])[false, true])
        {
            using MonitoredFolder folder = new();
            foreach (string file in (string[])["a", "b", "folder/c", "folder/d", "other/c", "other/below/e", "../elsewhere/file", "../elsewhere/folder/c"])
            {
                Directory.CreateDirectory(Path.GetDirectoryName(folder.At(file))!);
                File.WriteAllText(folder.At(file), "of " + file);
            }

            folder.Start();
            Assert.True(FileRenames.TryExchange(folder.At(one), folder.At(other)));
            if (!isInOneBurst)
            {
                folder.DeliverUntilSame();
            }

            foreach (string name in (string[])[one, other])
            {
                string path = folder.At(name), content = Directory.Exists(path) ? Path.Combine(path, "c") : path;
                File.AppendAllText(content, "more");
                File.Move(content, content + "2");
                File.WriteAllText(content, "new");
            }

            folder.DeliverUntilSame();
        }
    }

    [Fact]
    public void A_file_that_is_renamed_right_after_a_write_is_modified_under_its_new_name()
    {
        using MonitoredFolder folder = new();
        File.WriteAllText(folder.At("log"), "1");
        folder.Start();
        File.AppendAllText(folder.At("log"), "2");
        File.Move(folder.At("log"), folder.At("log.1"));
        File.WriteAllText(folder.At("log"), "3");
        folder.DeliverUntilSame();
    }

    [Fact]
    public void A_file_that_is_written_in_a_folder_right_before_the_folder_moves_is_modified_in_its_new_place()
    {
        using MonitoredFolder folder = new();
        Directory.CreateDirectory(folder.At("old"));
        File.WriteAllText(folder.At("old/known"), "1");
        folder.Start();
        File.AppendAllText(folder.At("old/known"), "2");
        File.WriteAllText(folder.At("old/made"), "3");
        Directory.Move(folder.At("old"), folder.At("new"));
        folder.DeliverUntilSame();
    }

    /// <summary>The scan sees the last state of the folders; the events that are read after it tell the states before.</summary>
    [Theory]
    [InlineData("a b/a", "b/a a", "b a/b")]
    [InlineData("a b/c/a", "b/c/a a", "b a/b")]
    [InlineData("a b/a", "b/a ../elsewhere/a", "../elsewhere/a a", "b a/b")]
    [InlineData("a b/a", "b/a d", "b d/b")]
    [InlineData("a b/a", "b/a d", "b d/b", "d e", "e/b b", "e b/d")]
    [InlineData("a b/a", "b a", "../elsewhere b")]
    [InlineData("a b/a", "b a", "a/c b")]
    [InlineData("a b/c/a", "b a", "a/c b")]
    [InlineData("a b/c/a", "b/c a", "../elsewhere b/c")]
    [InlineData("a b/a", "b/c c", "c b/a/c", "b/a a", "b a/b")]
    public void Folders_that_a_scan_sees_before_their_events_stay_apart(params string[] moves)
    {
        using MonitoredFolder folder = new();
        foreach (string file in (string[])["a/1", "b/2", "b/c/3", "../elsewhere/4"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.At(file))!);
            File.WriteAllText(folder.At(file), "of " + file);
        }

        folder.Start();
        folder.DoUnheard(() =>
        {
            new FileOperations(folder.Path, folder.Elsewhere, new Random(1)).MakeScanBeforeEvents();
            foreach (string[] move in moves.Select(move => move.Split(' ')))
            {
                Directory.Move(folder.At(move[0]), folder.At(move[1]));
            }
        });
        folder.DeliverUntilSame();
        foreach (string file in Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories))
        {
            File.AppendAllText(file, "more");
        }

        folder.DeliverUntilSame();
    }

    [RootFact]
    public void A_rename_that_leaves_a_device_behind_reports_it()
    {
        using MonitoredFolder folder = new();
        File.WriteAllText(folder.At("a"), "1");
        File.WriteAllText(folder.At("b"), "2");
        folder.Start();
        if (!FileRenames.TryWhiteout(folder.At("a"), folder.At("c")))
        {
            return; // a file system that cannot
        }

        folder.DeliverUntilSame();
        Assert.True(FileRenames.TryWhiteout(folder.At("b"), Path.Combine(folder.Elsewhere, "b")));
        folder.DeliverUntilSame();
    }

    private static void DoAndDeliver(MonitoredFolder folder, FileOperations files, Random random)
    {
        files.Do(20);
        folder.Start();
        int atOnce = random.Next(3) switch { 0 => 2, 1 => 8, _ => 60 }; // slowly, and in bursts
        for (int done = 0; done < 120; done += atOnce)
        {
            int count = random.Next(1, atOnce + 1);
            if (random.Next(4) == 0)
            {
                folder.DoUnheard(() => files.Do(count));
            }
            else
            {
                files.Do(count);
            }

            if (random.Next(2) == 0)
            {
                folder.Hear();
            }

            if (random.Next(3) == 0)
            {
                folder.Deliver();
            }

            if (random.Next(10) == 0)
            {
                folder.DeliverUntilSame();
            }
        }

        folder.DeliverUntilSame();
    }
}
