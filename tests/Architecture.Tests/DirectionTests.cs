namespace Cocaine.Fast.Architecture.Tests;

/// <summary>Directions within a project: two folders do not use each other, and files stand in no large circle.</summary>
public class DirectionTests
{
    [Fact]
    public void Print()
    {
        string root = "/tmp/wt/s3";
        foreach (string project in Directory.GetDirectories(Path.Combine(root, "src")))
        {
            SourceGraph graph = SourceGraph.Of(project, Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/") && !f.Contains("/bin/")));
            Console.WriteLine("== " + Path.GetFileName(project));
            foreach (string pair in graph.MutualFolders()) Console.WriteLine("   " + pair);
            foreach (var circle in graph.Circles()) Console.WriteLine($"   {circle.Count}: {string.Join(", ", circle)}");
        }
    }
}
