// Run it with dotnet run: it needs no node.
App.HelloApp app = new();
Expect("hello, you", app.Hello("you"));
Expect("hello, world", app.Hello(""));
Console.WriteLine("ok");

static void Expect(string expected, string found)
{
    if (found != expected)
    {
        throw new InvalidOperationException($"expected '{expected}', found '{found}'");
    }
}
