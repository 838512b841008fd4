using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;

namespace Cocaine.Fast.Core.Tests.Manifest;

public class WsgiTests
{
    [Fact]
    public void A_python_app_names_its_application()
    {
        ManifestResult result = Read("python", "\"application\"");
        Assert.Empty(result.Problems);
        Assert.Equal("application", result.Manifest!.Code.Wsgi);
        Assert.Null(Samples.Read("good/every-driver.json").Manifest!.Code.Wsgi);
    }

    [Theory]
    [InlineData("perl", "\"application\"", "a.json:1:44: $.args.wsgi: only python apps are WSGI applications, not perl ones")]
    [InlineData("python", "5", "a.json:1:46: $.args.wsgi: expected a string, found the number 5")]
    [InlineData("python", "\"\"", "a.json:1:46: $.args.wsgi: expected a string, found an empty string")]
    public void Others_have_none(string type, string value, string problem) =>
        Assert.Equal([problem], Read(type, value).Problems.Select(one => one.ToString()));

    private static ManifestResult Read(string type, string wsgi) => ManifestReader.Read(
        Encoding.UTF8.GetBytes(
            $$"""{"type":"{{type}}","args":{"source":"a","wsgi":{{wsgi}} },"tasks":{"t":{"type":"manual-scheduler"} } }"""),
        "a.json");
}
