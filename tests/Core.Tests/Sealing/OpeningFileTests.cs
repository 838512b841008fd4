using Cocaine.Fast.Core.Sealing;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>Used numbers in a file: they outlive the node, take no more room than needed, and a broken file is no empty one.</summary>
public sealed class OpeningFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"used-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Numbers_are_used_after_a_restart_too_until_their_time_has_passed()
    {
        Use(memory => Assert.Equal(SealFault.None, memory.Add(UInt128.MaxValue, endsS: 220, nowS: 100)));
        Use(memory =>
        {
            Assert.Equal(SealFault.Replayed, memory.Add(UInt128.MaxValue, 220, 101));
            Assert.Equal(SealFault.None, memory.Add(1, 221, 101));
        });
        Use(memory =>
        {
            Assert.Equal(SealFault.Replayed, memory.Add(UInt128.MaxValue, 220, 220));
            Assert.Equal(SealFault.Replayed, memory.Add(1, 221, 220));
            Assert.Equal(SealFault.None, memory.Add(2, 400, 221)); // the first is forgotten, the second is not yet
            Assert.Equal(2, memory.Count);
        });
    }

    [Fact]
    public void Room_of_forgotten_numbers_is_used_again()
    {
        for (int node = 0; node < 3; node++)
        {
            Use(memory =>
            {
                for (uint i = 0; i < 500; i++)
                {
                    long now = (node * 1000) + (i / 10);
                    Assert.Equal(SealFault.None, memory.Add((uint)(node * 1000) + i, now + 2, now));
                }
            });
        }

        Assert.InRange(new FileInfo(_path).Length, 24, 24 * 60);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
    }

    [Fact]
    public void A_file_that_is_no_such_file_is_no_empty_memory()
    {
        File.WriteAllText(_path, "something else");
        Assert.Contains("has no used numbers of sealed messages", Assert.Throws<IOException>(() => OpeningFile.Open(_path)).Message);
        File.Delete(_path);
        using OpeningFile first = OpeningFile.Open(_path);
        Assert.Throws<IOException>(() => OpeningFile.Open(_path)); // of another node
    }

    /// <summary>A loss of power may leave half a slot at the end.</summary>
    [Fact]
    public void Half_a_slot_is_none()
    {
        Use(memory => memory.Add(7, 100, 50));
        using (FileStream file = File.OpenWrite(_path))
        {
            file.SetLength(file.Length + 9);
        }

        Use(memory =>
        {
            Assert.Equal(1, memory.Count);
            Assert.Equal(SealFault.None, memory.Add(8, 100, 50));
        });
        Use(memory => Assert.Equal(2, memory.Count));
    }

    [Fact]
    public void A_number_that_cannot_be_written_opens_nothing()
    {
        OpeningFile file = OpeningFile.Open(_path);
        OpeningMemory memory = new(file);
        file.Dispose(); // as a disk that fails
        Assert.ThrowsAny<Exception>(() => memory.Add(7, 100, 50));
        Assert.Equal(0, memory.Count);
    }

    private void Use(Action<OpeningMemory> use)
    {
        using OpeningFile file = OpeningFile.Open(_path);
        use(new OpeningMemory(file));
    }
}
