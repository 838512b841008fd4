using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Backends.Tests.Processes;

/// <summary>The program that runs an app's source, and what it gets of the node's environment.</summary>
public sealed class InterpreterTests : IDisposable
{
    private const string Code = """
        import os, sys, time

        def tell(request):
            return "%s %s %s %s" % (sys.prefix, os.environ.get("SECRET"), time.tzname[0], os.environ.get("OTHER"))
        """;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_app_has_its_own_interpreter_the_zone_of_the_node_and_what_it_names_of_the_nodes_environment()
    {
        Directory.CreateDirectory(_folder["venv/bin"]);
        File.CreateSymbolicLink(_folder["venv/bin/python"], "/usr/bin/python3");
        _folder.Write("venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n");
        using RunProcess node = RunProcess.Start(
            _folder, Code, args: "\"interpreter\": \"venv/bin/python\", \"env-from\": [\"SECRET\"], \"env\": { \"OTHER\": \"${SECRET}\" }",
            environment: [("SECRET", "of the host"), ("TZ", "XYZ-3"), ("UNNAMED", "leak")]);
        await using CocaineClient client = await node.ConnectAsync();
        Assert.Equal(
            $"{_folder["venv"]} of the host XYZ ${{SECRET}}", Encoding.UTF8.GetString(await client.CallAsync("tell", Utf8.Of(""))));
    }

    [Theory]
    [InlineData("COCAINE_PYTHON", "/nowhere/python3", "there is no /nowhere/python3, which COCAINE_PYTHON of the node's environment names")]
    [InlineData("COCAINE_PYTHON", "python-of-nowhere", "python-of-nowhere was not found in /usr/bin, ")]
    [InlineData("COCAINE_PYTHON", "/etc/passwd", "/etc/passwd, which COCAINE_PYTHON of the node's environment names as the interpreter, cannot be run")]
    public async Task An_interpreter_that_is_not_there_is_named_before_the_start(string name, string value, string problem)
    {
        using RunProcess node = RunProcess.Start(_folder, Code, environment: (name, value));
        Assert.Equal(1, await node.ExitAsync());
        Assert.Contains($"cannot start: app app: {problem}", node.Log);
        Assert.DoesNotContain("pool grows", node.Log);
    }

    [Fact]
    public async Task Check_warns_of_an_interpreter_that_is_not_on_this_machine()
    {
        _folder.Write("app.py", Code);
        using System.Diagnostics.Process check = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            ServeProcess.Program, ["check", _folder.Write("app.json", """
                { "type": "python", "args": "app.py", "tasks": { "t": { "type": "native-sink", "endpoint": "tcp://127.0.0.1:0" } } }
                """)])
        {
            RedirectStandardError = true,
            Environment = { ["COCAINE_PYTHON"] = "/nowhere/python3" },
        })!;
        string warning = await check.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await check.WaitForExitAsync();
        Assert.Equal(0, check.ExitCode);
        Assert.Equal($"{_folder["app.json"]}: warning: here app cannot start: there is no /nowhere/python3, which COCAINE_PYTHON of the "
            + "node's environment names as the interpreter\n", warning);
    }

    [Fact]
    public async Task An_interpreter_of_the_manifest_that_is_not_there_is_a_mistake_of_the_manifest()
    {
        using RunProcess node = RunProcess.Start(_folder, Code, args: "\"interpreter\": \"venv/bin/python\"");
        Assert.Equal(2, await node.ExitAsync());
        Assert.Contains($"$.args.interpreter: there is no file {_folder["venv/bin/python"]}", node.Log);
    }
}
