using Cocaine.Fast.Cluster.Code;
using Cocaine.Fast.Cluster.Engine;

namespace Cocaine.Fast.Cluster.Tests.Code;

/// <summary>Packs on real disks and in a real engine.</summary>
[Collection(nameof(Alone))] // an answer of the engine has its second
public sealed class CodeSyncTests : IDisposable
{
    private const long Most = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("cocaine-code-").FullName;

    public void Dispose()
    {
        foreach (string folder in Directory.GetDirectories(_folder, "*", SearchOption.AllDirectories))
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_pack_comes_in_portions_and_is_whole_or_not_there()
    {
        (string name, byte[] archive) = Pack("print()");
        CodeFolder store = new(Path.Combine(_folder, "a"), Most);
        Assert.Equal(0, store.Take(name, archive.Length, 0, []));
        Assert.Equal(10, store.Take(name, archive.Length, 0, archive.AsSpan(0, 10)));
        Assert.Equal(10, store.Take(name, archive.Length, 0, archive.AsSpan(0, 10))); // said twice: taken once
        Assert.Equal(10, store.Take(name, archive.Length, 20, archive.AsSpan(20))); // a hole
        Assert.Null(store.Find(name));
        Assert.Equal(archive.Length, store.Take(name, archive.Length, 10, archive.AsSpan(10)));
        Assert.Equal("print()", File.ReadAllText(Path.Combine(store.Find(name)!, "app.py")));
        Assert.Equal(archive.Length, store.Take(name, archive.Length, 0, [])); // the next person need not send it
        Assert.Equal([name], store.Names());
        store.Remove(name);
        Assert.Null(store.Find(name));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "a")));
    }

    [Fact]
    public void A_pack_that_is_too_large_or_another_one_leaves_nothing()
    {
        (string name, byte[] archive) = Pack("print()");
        CodeFolder store = new(Path.Combine(_folder, "a"), Most);
        Assert.Contains("this node takes 1048576", Assert.Throws<CodeException>(() => store.Take(name, Most + 1, 0, [])).Message);
        Assert.Throws<CodeException>(() => store.Take(name, 0, 0, []));
        archive[^1] ^= 1;
        Assert.Contains("SHA-256", Assert.Throws<CodeException>(() => store.Take(name, archive.Length, 0, archive)).Message);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "a")));

        for (int i = 0; i < 20; i++)
        {
            store.Take($"{i:x64}", 100, 0, [1]); // persons who go away in the middle
        }

        Assert.Equal(4, Directory.GetFiles(Path.Combine(_folder, "a")).Length);
        store.RemoveLeftovers();
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "a")));
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_pack_comes_to_the_other_nodes_and_back_to_an_engine_that_lost_it()
    {
        (string name, byte[] archive) = Pack(new string('x', 300_000));
        CodeSync a = SyncOf("a"), b = SyncOf("b"), c = SyncOf("c");
        using (NatsServer server = await NatsServer.StartNewAsync())
        {
            await using NatsSession session = await NatsSession.OpenAsync(new EngineAccess(server.Url), "a");
            EngineObjects objects = await session.ObjectsAsync(CodeSync.Bucket);
            a.Attach(objects);
            b.Attach(objects);
            Assert.Contains("neither", (await Assert.ThrowsAsync<CodeException>(() => b.EnsureAsync(name))).Message);
            Assert.Equal(archive.Length, await a.TakeAsync(name, archive.Length, 0, archive));
            string files = await b.EnsureAsync(name);
            Assert.Equal(300_000, new FileInfo(Path.Combine(files, "app.py")).Length);
            await b.TidyAsync(new HashSet<string>(), tidiesEngine: true); // younger than a day: a record may come yet
            Assert.NotNull(await objects.SizeOfAsync(name));
            await Assert.ThrowsAsync<CodeException>(() => b.EnsureAsync("../x"));
            a.Detach();
            b.Detach();
        }

        Assert.Contains("cannot be reached", (await Assert.ThrowsAsync<CodeException>(() => c.EnsureAsync(name))).Message);
        Assert.NotNull(await b.EnsureAsync(name)); // its own disk is enough
        using NatsServer empty = await NatsServer.StartNewAsync();
        await using NatsSession next = await NatsSession.OpenAsync(new EngineAccess(empty.Url), "b");
        b.Attach(await next.ObjectsAsync(CodeSync.Bucket));
        c.Attach(await next.ObjectsAsync(CodeSync.Bucket));
        await b.TidyAsync(new HashSet<string> { name }, tidiesEngine: true);
        Assert.NotNull(await c.EnsureAsync(name));
    }

    private CodeSync SyncOf(string node) => new(new CodeFolder(Path.Combine(_folder, node), Most));

    private (string Name, byte[] Archive) Pack(string text)
    {
        string from = Directory.CreateDirectory(Path.Combine(_folder, "from")).FullName;
        File.WriteAllText(Path.Combine(from, "app.py"), text);
        MemoryStream archive = new();
        return (CodePack.Write(from, archive), archive.ToArray());
    }
}
