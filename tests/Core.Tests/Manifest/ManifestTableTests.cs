using System.Text.Json;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

/// <summary>What is made from the table of keys agrees with it.</summary>
public class ManifestTableTests
{
    private const string Begin = "<!-- generated: the tables of the code; COCAINE_UPDATE_DOCS=1 scripts/test writes them anew -->\n";
    private const string End = "<!-- end of what is generated -->\n";

    [Fact]
    public void The_schema_names_every_key_where_it_belongs()
    {
        using JsonDocument document = JsonDocument.Parse(ManifestSchema.Write(DriverRegistry.Table));
        JsonElement top = document.RootElement;
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", top.GetProperty("$schema").GetString());
        Assert.Equal(["type", "args", "tasks"], top.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(Names(ManifestKeys.Top), Properties(top));
        JsonElement properties = top.GetProperty("properties");
        Assert.Equal(Names(ManifestKeys.Engine), Properties(properties.GetProperty("engine")));
        Assert.Equal(Names(IsolationKeys.All), Properties(properties.GetProperty("isolation")));
        Assert.Equal(Names(ManifestKeys.Pubsub), Properties(properties.GetProperty("pubsub")));
        Assert.Equal(Names(ManifestKeys.Args), Properties(properties.GetProperty("args").GetProperty("oneOf")[1]));
        JsonElement[] drivers =
            [.. properties.GetProperty("tasks").GetProperty("additionalProperties").GetProperty("oneOf").EnumerateArray()];
        Assert.Equal(
            DriverRegistry.Table.Names,
                drivers.Select(driver => driver.GetProperty("properties").GetProperty("type").GetProperty("const").GetString()));
        foreach ((string name, JsonElement driver) in DriverRegistry.Table.Names.Zip(drivers))
        {
            Assert.Equal([.. Names(DriverRegistry.Table.Find(name)!.Keys), "type"], Properties(driver));
        }
    }

    [Fact]
    public void No_driver_is_known_below_the_drivers()
    {
        string[] names = [.. DriverRegistry.Table.Names.Select(name => $"\"{name}\"")];
        Assert.DoesNotContain(
            Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "src/Core"), "*.cs", SearchOption.AllDirectories),
            file => Array.Exists(names, File.ReadAllText(file).Contains));
    }

    [Fact]
    public void The_defaults_of_the_table_are_those_of_the_model()
    {
        Dictionary<string, object> written = ManifestKeys.Engine.Where(spec => spec.DefaultValue is not null)
            .ToDictionary(spec => spec.Name, spec => spec.DefaultValue!);
        Assert.Equal(ManifestKeys.Engine.Select(spec => spec.Name).Except(["spin", "retry-limit-max"]), written.Keys);
        Assert.Equal(new EngineSettings() with { Concurrency = new EngineSettings().Concurrency }, EngineReader.From(written)); // it was set
    }

    [Fact]
    public void The_tables_in_the_documentation_are_those_of_the_code()
    {
        Check("manifest.md", ManifestDocumentation.Tables(DriverRegistry.Table));
        Check("node.md", ConfigDocumentation.Tables());
    }

    private static void Check(string file, string tables)
    {
        string path = Path.Combine(RepositoryRoot.Path, "docs", file);
        string text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, $"docs/{file} has lost the marks around its generated part");
        if (Environment.GetEnvironmentVariable("COCAINE_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, text[..begin] + tables + text[end..]);
            return;
        }

        Assert.True(
            text[begin..end] == tables,
            $"docs/{file} is not up to date: run the tests once with COCAINE_UPDATE_DOCS=1");
    }

    private static IEnumerable<string> Names(IEnumerable<KeySpec> specs) => specs.Select(spec => spec.Name);

    private static IEnumerable<string> Properties(JsonElement schema) =>
        schema.GetProperty("properties").EnumerateObject().Select(property => property.Name);
}
