using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Tests.Vectors;

namespace Cocaine.Fast.Core.Tests.MessagePack;

public class MsgPackSuiteTests
{
    public static TheoryData<string> Groups()
    {
        TheoryData<string> groups = [];
        foreach (JsonProperty group in VectorFile.Read("msgpack-test-suite.json").EnumerateObject())
        {
            groups.Add(group.Name);
        }

        return groups;
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void Every_encoding_of_the_public_suite_decodes_to_its_value(string group)
    {
        foreach (JsonElement item in VectorFile.Read("msgpack-test-suite.json").GetProperty(group).EnumerateArray())
        {
            foreach (JsonElement encoding in item.GetProperty("msgpack").EnumerateArray())
            {
                byte[] bytes = VectorFile.Hex(encoding.GetString()!);
                int at = 0;
                AssertValue(item, bytes, ref at);
                Assert.Equal(bytes.Length, at);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void What_we_write_is_the_shortest_of_the_suites_encodings(string group)
    {
        foreach (JsonElement item in VectorFile.Read("msgpack-test-suite.json").GetProperty(group).EnumerateArray())
        {
            byte[][] all = [.. item.GetProperty("msgpack").EnumerateArray().Select(text => VectorFile.Hex(text.GetString()!))];
            byte[] written = Write(item);
            Assert.Contains(written, all, new SequenceComparer());

            // A whole number stays one: a float that happens to be shorter is not what we write.
            bool isFloat = written[0] is 0xca or 0xcb;
            Assert.Equal(all.Where(bytes => isFloat || bytes[0] is not (0xca or 0xcb)).Min(bytes => bytes.Length), written.Length);
        }
    }

    private static void AssertValue(JsonElement item, byte[] bytes, ref int at)
    {
        Assert.Equal(MsgPackStatus.Ok, MsgPackToken.TryRead(bytes, out MsgPackToken token));
        if (item.TryGetProperty("array", out JsonElement value) || item.TryGetProperty("map", out value))
        {
            AssertJson(value, bytes, ref at);
            return;
        }

        at = token.HeadBytes;
        if (item.TryGetProperty("nil", out _))
        {
            Assert.Equal(MsgPackKind.Nil, token.Kind);
        }
        else if (item.TryGetProperty("bool", out value))
        {
            Assert.Equal(value.GetBoolean() ? 1UL : 0UL, token.Bits);
            Assert.Equal(MsgPackKind.Boolean, token.Kind);
        }
        else if (item.TryGetProperty("bignum", out value))
        {
            BigInteger expected = BigInteger.Parse(value.GetString()!, CultureInfo.InvariantCulture);
            Assert.Equal(expected, token.IsInteger ? (token.Kind == MsgPackKind.Negative ? (long)token.Bits : token.Bits)
                : new BigInteger(token.AsDouble));
        }
        else if (item.TryGetProperty("number", out value))
        {
            Assert.Equal(value.GetDouble(), token.AsDouble);
        }
        else
        {
            (MsgPackKind kind, byte[] body, int type) = Bytes(item);
            Assert.Equal(kind, token.Kind);
            Assert.Equal(type, token.ExtensionType);
            Assert.Equal(body, bytes[at..(at + (int)token.BodyBytes)]);
            at += (int)token.BodyBytes;
        }
    }

    private static (MsgPackKind Kind, byte[] Body, int Type) Bytes(JsonElement item)
    {
        if (item.TryGetProperty("binary", out JsonElement value))
        {
            return (MsgPackKind.Binary, VectorFile.Hex(value.GetString()!), 0);
        }

        if (item.TryGetProperty("string", out value))
        {
            return (MsgPackKind.String, Encoding.UTF8.GetBytes(value.GetString()!), 0);
        }

        if (item.TryGetProperty("timestamp", out value))
        {
            byte[] whole = new byte[32];
            int written = MsgPackEncoder.WriteTimestamp(whole, value[0].GetInt64(), value[1].GetUInt32());
            MsgPackToken.TryRead(whole, out MsgPackToken token);
            return (MsgPackKind.Extension, whole[token.HeadBytes..written], -1);
        }

        value = item.GetProperty("ext");
        return (MsgPackKind.Extension, VectorFile.Hex(value[1].GetString()!), value[0].GetInt32());
    }

    private static void AssertJson(JsonElement value, byte[] bytes, ref int at)
    {
        Assert.Equal(MsgPackStatus.Ok, MsgPackToken.TryRead(bytes.AsSpan(at), out MsgPackToken token));
        at += token.HeadBytes;
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                Assert.Equal((MsgPackKind.Array, (ulong)value.GetArrayLength()), (token.Kind, token.Bits));
                foreach (JsonElement item in value.EnumerateArray())
                {
                    AssertJson(item, bytes, ref at);
                }

                break;
            case JsonValueKind.Object:
                Assert.Equal((MsgPackKind.Map, (ulong)value.EnumerateObject().Count()), (token.Kind, token.Bits));
                foreach (JsonProperty pair in value.EnumerateObject())
                {
                    AssertJson(JsonSerializer.SerializeToElement(pair.Name), bytes, ref at);
                    AssertJson(pair.Value, bytes, ref at);
                }

                break;
            case JsonValueKind.String:
                Assert.Equal(value.GetString(), Encoding.UTF8.GetString(bytes, at, (int)token.BodyBytes));
                at += (int)token.BodyBytes;
                break;
            default:
                Assert.Equal(value.GetDouble(), token.AsDouble);
                break;
        }
    }

    private static byte[] Write(JsonElement item)
    {
        byte[] to = new byte[4096];
        int at;
        if (item.TryGetProperty("array", out JsonElement value) || item.TryGetProperty("map", out value))
        {
            at = WriteJson(value, to);
        }
        else if (item.TryGetProperty("nil", out _))
        {
            at = MsgPackEncoder.WriteNil(to);
        }
        else if (item.TryGetProperty("bool", out value))
        {
            at = MsgPackEncoder.WriteBoolean(to, value.GetBoolean());
        }
        else if (item.TryGetProperty("bignum", out value))
        {
            BigInteger number = BigInteger.Parse(value.GetString()!, CultureInfo.InvariantCulture);
            at = number < 0 ? MsgPackEncoder.WriteSigned(to, (long)number) : MsgPackEncoder.WriteUnsigned(to, (ulong)number);
        }
        else if (item.TryGetProperty("number", out value))
        {
            double number = value.GetDouble();
            at = number == Math.Floor(number) ? MsgPackEncoder.WriteSigned(to, (long)number)
                : (float)number == number ? MsgPackEncoder.WriteSingle(to, (float)number) : MsgPackEncoder.WriteDouble(to, number);
        }
        else if (item.TryGetProperty("timestamp", out value))
        {
            at = MsgPackEncoder.WriteTimestamp(to, value[0].GetInt64(), value[1].GetUInt32());
        }
        else
        {
            (MsgPackKind kind, byte[] body, int type) = Bytes(item);
            at = kind switch
            {
                MsgPackKind.Binary => MsgPackEncoder.WriteBinaryHead(to, (uint)body.Length),
                MsgPackKind.String => MsgPackEncoder.WriteStringHead(to, (uint)body.Length),
                _ => MsgPackEncoder.WriteExtensionHead(to, (uint)body.Length, (sbyte)type),
            };
            body.CopyTo(to, at);
            at += body.Length;
        }

        return to[..at];
    }

    private static int WriteJson(JsonElement value, Span<byte> to)
    {
        int at;
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                at = MsgPackEncoder.WriteArrayHead(to, (uint)value.GetArrayLength());
                foreach (JsonElement item in value.EnumerateArray())
                {
                    at += WriteJson(item, to[at..]);
                }

                return at;
            case JsonValueKind.Object:
                at = MsgPackEncoder.WriteMapHead(to, (uint)value.EnumerateObject().Count());
                foreach (JsonProperty pair in value.EnumerateObject())
                {
                    at += WriteJson(JsonSerializer.SerializeToElement(pair.Name), to[at..]);
                    at += WriteJson(pair.Value, to[at..]);
                }

                return at;
            case JsonValueKind.String:
                byte[] text = Encoding.UTF8.GetBytes(value.GetString()!);
                at = MsgPackEncoder.WriteStringHead(to, (uint)text.Length);
                text.CopyTo(to[at..]);
                return at + text.Length;
            default:
                return MsgPackEncoder.WriteSigned(to, value.GetInt64());
        }
    }

    private sealed class SequenceComparer : IEqualityComparer<byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => obj.Length;
    }
}
