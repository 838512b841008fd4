namespace Cocaine.Fast.Harness;

/// <summary>A folder of its own for a test, gone at its end.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("node-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file, with its folders; its path.</summary>
    public string Write(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>A manifest of the echo example in this folder, of some version and with more keys in its engine.</summary>
    public string Manifest(string name, int version = 0, string engine = "\"pool-limit\": 1") => Write(
        $"{name}.json",
        $$"""
        { "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", "version": {{version}},
          "engine": { {{engine}} },
          "tasks": { "echo": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
        """);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
