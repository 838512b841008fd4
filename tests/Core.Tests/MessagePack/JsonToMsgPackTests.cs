using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Tests.MessagePack;

/// <summary>Each kind of JSON value in its shortest form.</summary>
public sealed class JsonToMsgPackTests
{
    [Theory]
    [InlineData("null", "C0")]
    [InlineData("true", "C3")]
    [InlineData("false", "C2")]
    [InlineData("0", "00")]
    [InlineData("127", "7F")]
    [InlineData("128", "CC80")]
    [InlineData("-1", "FF")]
    [InlineData("-129", "D1FF7F")]
    [InlineData("9223372036854775807", "CF7FFFFFFFFFFFFFFF")]
    [InlineData("18446744073709551615", "CFFFFFFFFFFFFFFFFF")]
    [InlineData("0.5", "CB3FE0000000000000")]
    [InlineData("1e300", "CB7E37E43C8800759C")]
    [InlineData("\"\"", "A0")]
    [InlineData("\"\\u00e9\\n\"", "A3C3A90A")]
    [InlineData("[]", "90")]
    [InlineData("{}", "80")]
    [InlineData("""{"a":[1,{"b":null}],"c":"d"}""", "82A161920181A162C0A163A164")]
    public void A_value_has_its_shortest_form(string json, string hex)
    {
        Assert.Equal(hex, Convert.ToHexString(JsonToMsgPack.Convert(json, modern: true)));
        Assert.Equal(hex, Convert.ToHexString(JsonToMsgPack.Convert(json, modern: false)));
    }

    [Fact]
    public void Long_strings_and_lists_have_the_head_that_the_peer_understands()
    {
        string text = new('x', 200);
        Assert.StartsWith("D9C8", Convert.ToHexString(JsonToMsgPack.Convert($"\"{text}\"", modern: true)), StringComparison.Ordinal);
        Assert.StartsWith("DA00C8", Convert.ToHexString(JsonToMsgPack.Convert($"\"{text}\"", modern: false)), StringComparison.Ordinal);
        byte[] list = JsonToMsgPack.Convert($"[{string.Join(',', Enumerable.Repeat(7, 20))}]", modern: true);
        Assert.Equal($"DC0014{string.Concat(Enumerable.Repeat("07", 20))}", Convert.ToHexString(list));
    }
}
