using System.Text.RegularExpressions;
using System.Xml.Linq;
using static Cocaine.Fast.Architecture.Tests.Repository;

namespace Cocaine.Fast.Architecture.Tests;

/// <summary>What the documents promise of the sources.</summary>
public class StructureTests
{
    /// <summary>Which rooms each room may use.</summary>
    internal static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Core"] = [],
        ["Transport"] = ["Core"],
        ["Worker"] = ["Core", "Transport", "Client"],
        ["Client"] = ["Core", "Transport"],
        ["Drivers"] = ["Core", "Transport"],
        ["Backends"] = ["Core", "Transport", "Worker"],
        ["Cluster"] = ["Core", "Transport", "Drivers"],
        ["Node"] = ["Core", "Transport", "Client", "Drivers", "Backends", "Cluster"],
        ["Tools"] = ["Core", "Transport", "Client", "Drivers", "Backends", "Node"],
        ["Web"] = ["Core", "Transport", "Node"],
        ["Host"] = ["Core", "Transport", "Client", "Drivers", "Node", "Tools", "Web"],
    };

    [Fact]
    public void Rooms_use_only_the_rooms_below_them()
    {
        foreach ((string room, string[] allowed) in Allowed)
        {
            string project = Directory.GetFiles(Path.Combine(Root, "src", room), "*.csproj").Single();
            IEnumerable<string> used = XDocument.Load(project).Descendants("ProjectReference")
                .Select(reference => Path.GetFileName(Path.GetDirectoryName(reference.Attribute("Include")!.Value.Replace('\\', '/')))!);
            Assert.Empty(used.Except(allowed));
        }

        Assert.Equal(Allowed.Keys.Order(),
            Directory.GetDirectories(Path.Combine(Root, "src")).Select(folder => Path.GetFileName(folder)!).Order());
    }

    [Theory]
    [InlineData("Core", @"using System\.(Net|IO\.Pipes)|System\.Diagnostics\.Process|DllImport|LibraryImport|using NetMQ")]
    [InlineData("Transport", @"using NetMQ|System\.Diagnostics\.Process\b")]
    [InlineData("Node", @"LibraryImport")]
    public void Rooms_know_nothing_of_what_is_not_theirs(string room, string forbidden)
    {
        foreach (string file in Sources(Path.Combine("src", room)))
        {
            Assert.False(Regex.IsMatch(File.ReadAllText(file), forbidden), $"{file} has {forbidden}");
        }
    }

    [Fact]
    public void No_library_of_ZeroMQ_is_in_the_program() => Assert.DoesNotContain(
        Sources("src").Concat(Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)),
        file => Regex.IsMatch(File.ReadAllText(file), "using NetMQ|Include=\"NetMQ"));

    /// <summary>The client library of the cluster's engine is known to the room of the cluster alone, and there in one folder.</summary>
    [Fact]
    public void NATS_is_in_the_room_of_the_cluster() => Assert.DoesNotContain(
        Sources("src").Concat(Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)),
        file => Regex.IsMatch(File.ReadAllText(file), "using NATS|Include=\"NATS") && !file.Contains("/Cluster/Engine/")
            && !file.EndsWith("/Cluster/Cocaine.Fast.Cluster.csproj", StringComparison.Ordinal));

    /// <summary>The server of HTTP is known to its room alone: a node without that door loads nothing of it.</summary>
    [Fact]
    public void Kestrel_is_in_the_room_of_HTTP() => Assert.DoesNotContain(
        Sources("src").Concat(Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)),
        file => Regex.IsMatch(File.ReadAllText(file), "Microsoft\\.AspNetCore") && !file.Contains("/src/Web/"));

    /// <summary>System calls are in one folder. The only other native library is OpenSSL's, for TLS, in two files.</summary>
    [Fact]
    public void System_calls_are_in_one_place() => Assert.DoesNotContain(
        Sources("src"), file => File.ReadAllText(file).Contains("LibraryImport(") && !file.Contains("/Transport/Linux/")
            && !file.EndsWith("/Transport/Tls/LibSsl.cs", StringComparison.Ordinal)
            && !file.EndsWith("/Transport/Tls/LibCrypto.cs", StringComparison.Ordinal));

    /// <summary>A node without TLS loads no OpenSSL: only the rooms of TLS know the library's names.</summary>
    [Fact]
    public void OpenSSL_is_known_to_its_room_alone() => Assert.DoesNotContain(
        Sources("src"), file => Regex.IsMatch(File.ReadAllText(file), @"\bLib(Ssl|Crypto)\.") && !file.Contains("/Transport/Tls/"));

    [Fact]
    public void Files_methods_and_lines_keep_their_bounds()
    {
        List<string> over = [];
        foreach (string file in Sources("src").Concat(Sources("tests")).Concat(Sources("examples")).Concat(Sources("bench")))
        {
            string[] lines = File.ReadAllLines(file);
            if (lines.Length > 600)
            {
                over.Add($"{file}: {lines.Length} lines");
            }

            bool isTest = file.Contains("/tests/");
            over.AddRange(lines.Select((line, index) => (line, index)).Where(pair => pair.line.Length > (isTest ? 180 : 140))
                .Select(pair => $"{file}:{pair.index + 1}: {pair.line.Length} characters"));
            if (!isTest)
            {
                over.AddRange(FigureTests.Methods(lines).Where(method => method.Lines >= 72)
                    .Select(method => $"{file}:{method.Start}: a method of {method.Lines} lines"));
            }
        }

        Assert.Empty(over);
    }

    /// <summary>
    /// A folder is a concept. The bound is high enough that nobody makes a folder for its sake: one over it has more than one concept.
    /// </summary>
    [Fact]
    public void Folders_are_concepts_of_at_most_twenty_four_files() => Assert.DoesNotContain(
        Directory.GetDirectories(Path.Combine(Root, "src"), "*", SearchOption.AllDirectories)
            .Concat(Directory.GetDirectories(Path.Combine(Root, "bench"), "*", SearchOption.AllDirectories)),
        folder => !folder.Contains("/bin") && !folder.Contains("/obj") && Directory.GetFiles(folder, "*.cs").Length > 24);

    [Fact]
    public void Unsafe_code_says_why_it_is_safe_and_orderings_name_their_other_half()
    {
        foreach (string file in Sources("src"))
        {
            string text = File.ReadAllText(file);
            if (Regex.IsMatch(text, @"\bunsafe (partial |readonly |sealed |static |class |struct )"))
            {
                Assert.True(text.Contains("Safety:"), $"{file}: unsafe code without a Safety paragraph");
            }

            if (text.Contains("Interlocked.MemoryBarrier"))
            {
                Assert.True(Regex.IsMatch(text, "[Oo]ther half"), $"{file}: a fence that does not name its other half");
            }
        }
    }

    [Fact]
    public void Nothing_is_left_open_and_partial_is_for_generated_code()
    {
        foreach (string file in Sources("src"))
        {
            string text = File.ReadAllText(file);
            Assert.False(Regex.IsMatch(text, @"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b"), $"{file} has something left open");
            if (Regex.IsMatch(text, @"\bpartial (class|struct)"))
            {
                Assert.True(Regex.IsMatch(text, "LoggerMessage|LibraryImport|GeneratedRegex"), $"{file}: partial without generated code");
            }
        }
    }

    /// <summary>
    /// The node controls itself on threads of its own (<c>NodeThreads</c>), to which an await brings a method back. ConfigureAwait(false)
    /// would let it go on in the thread pool, which an app may have filled. The files listed here run in programs that only talk to a node.
    /// </summary>
    [Fact]
    public void Methods_of_the_node_stay_on_its_own_threads()
    {
        string[] outside =
            ["/Node/Control/NodeControlClient.cs"];
        Assert.DoesNotContain(
            Sources(Path.Combine("src", "Node")), file => Regex.IsMatch(File.ReadAllText(file), @"\.ConfigureAwait\(|ConfigureAwaitOptions")
                && !outside.Any(file.Contains));
    }

    /// <summary>Text of others is on standard error only as <c>Complaint</c> escapes it, and no list is drawn but by <c>Columns</c>.</summary>
    [Fact]
    public void Commands_write_to_standard_error_in_one_place() => Assert.DoesNotContain(
        Sources(Path.Combine("src", "Host")), file => Regex.IsMatch(File.ReadAllText(file), @"Console\.Error\.Write|new Table\(")
            && !file.EndsWith("/Complaint.cs", StringComparison.Ordinal));

    [Fact]
    public void Numbers_of_log_events_are_unique()
    {
        IEnumerable<string> numbers = Sources("src").SelectMany(file =>
            Regex.Matches(File.ReadAllText(file), @"LoggerMessage\((\d+)").Select(match => match.Groups[1].Value));
        Assert.Empty(numbers.GroupBy(number => number).Where(group => group.Count() > 1).Select(group => group.Key));
    }
}
