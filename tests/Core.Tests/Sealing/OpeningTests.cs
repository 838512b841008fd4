using System.Text;
using Cocaine.Fast.Core.Sealing;
using static Cocaine.Fast.Core.Tests.Sealing.SealVectors;

namespace Cocaine.Fast.Core.Tests.Sealing;

/// <summary>Openings: those that other libraries make are read, those of the product are like them, and everything else is refused.</summary>
public class OpeningTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    public static TheoryData<string> Bad => [.. SealVectors.All.GetProperty("bad").EnumerateObject().Select(one => one.Name)];

    [Fact]
    public void Thumbprints_are_those_of_other_libraries()
    {
        Assert.Equal(SenderName, RsaKeyText.Thumbprint(Private("sender")));
        Assert.Equal(NodeName, RsaKeyText.Thumbprint(Private("node")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Openings_of_other_libraries_are_read(int index)
    {
        byte[] opening = Encoding.ASCII.GetBytes(SealVectors.All.GetProperty("openings")[index].GetProperty("opening").GetString()!);
        KeyRing keys = Ring();
        Assert.Equal(SealFault.None, OpeningReader.Verify(opening, keys, out CallerKey? sender, out byte[] content));
        Assert.Equal("billing", sender!.Name);
        Assert.Equal(SealFault.None, OpeningReader.Unwrap(content, sender, keys, out OpeningClaims claims));
        Assert.Equal(Text("key"), Convert.ToHexStringLower(claims.Key));
        Assert.Equal((NowS, NowS + 60), (claims.IssuedS, claims.EndsS));
    }

    [Fact]
    public void Openings_of_the_product_are_read()
    {
        Assert.Equal(SealFault.None, Gate().Open(Opening(out SealSession client), NowS * 1000, 0, out SealSession? session));
        Assert.Equal(("billing", client.Id), (session!.Name, session.Id));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void Openings_that_are_wrong_in_one_respect_are_refused(string name)
    {
        Assert.True(Ring().TryGetOwn(NodeName, out OwnKey? own));
        SealGate gate = new(new KeyRing([Caller("sender", "billing")], [own!]), 0, new OpeningMemory()); // the other key is a stranger's
        SealFault fault = gate.Open(Encoding.ASCII.GetBytes(SealVectors.All.GetProperty("bad").GetProperty(name).GetString()!), NowS * 1000, 0, out _);
        Assert.Equal(SealFault.CannotOpen, fault);
    }

    [Fact]
    public void Each_changed_character_is_found()
    {
        KeyRing keys = Ring();
        for (int i = 0; i < Made.Length; i++)
        {
            foreach (byte other in (byte[])[(byte)(Made[i] ^ 1), (byte)(Made[i] ^ 0x80), Next(Made[i], 1), Next(Made[i], 32)])
            {
                byte[] changed = [.. Made];
                changed[i] = other;
                Assert.True(OpeningReader.Verify(changed, keys, out _, out _) == SealFault.CannotOpen, $"byte {i} as {other}");
            }

            Assert.Equal(SealFault.CannotOpen, OpeningReader.Verify(Made.AsSpan(0, i), keys, out _, out _));
        }
    }

    /// <summary>A sender who is known, but whose content was changed on its way into the signature.</summary>
    [Fact]
    public void Each_changed_character_of_the_content_is_found()
    {
        KeyRing keys = Ring();
        Assert.Equal(SealFault.None, OpeningReader.Verify(Made, keys, out CallerKey? sender, out byte[] content));
        for (int i = 0; i < content.Length; i += 3)
        {
            byte[] changed = [.. content];
            changed[i] = Next(changed[i], 1);
            Assert.Equal(SealFault.CannotOpen, OpeningReader.Unwrap(changed, sender!, keys, out _));
        }
    }

    [Fact]
    public void A_right_forgery_is_the_measure_of_the_wrong_ones() => Assert.Equal(SealFault.None, Result(Sign(Wrap(Claims()))));

    [Fact]
    public void An_opening_that_was_stripped_and_signed_anew_is_refused()
    {
        Assert.Equal(SealFault.None, OpeningReader.Verify(Made, Ring(), out _, out byte[] content));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Encoding.ASCII.GetString(content), sender: "other")));
    }

    public static TheoryData<string> Heads =>
    [
        """{"alg":"none","kid":"NAME","cty":"JWE"}""",
        """{"alg":"ps256","kid":"NAME","cty":"JWE"}""",
        """{"alg":"PS256","kid":"NAME","cty":"JWE","crit":["b64"]}""",
        """{"alg":"PS256","kid":"NAME","cty":"JWE","jwk":{}}""",
        """{"alg":"PS256","alg":"PS256","kid":"NAME","cty":"JWE"}""",
        """{"alg":"PS256","kid":"NAME","cty":"JWE"} """ + "x",
        """{"alg":"PS256","kid":"NAME"}""",
        """{"alg":"PS256","cty":"JWE"}""",
        """{"alg":["PS256"],"kid":"NAME","cty":"JWE"}""",
        """{"alg":"PS256","kid":null,"cty":"JWE"}""",
        """["PS256","NAME","JWE"]""",
        """{"alg":"PS256","kid":"NAME","cty":"JWE" """,
        "",
        "7",
    ];

    [Theory]
    [MemberData(nameof(Heads))]
    public void Heads_that_are_not_the_one_are_refused(string head) =>
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims()), head.Replace("NAME", SenderName))));

    public static TheoryData<string> InnerHeads =>
    [
        """{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"NAME","zip":"DEF"}""",
        """{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"NAME","kid":"NAME"}""",
        """{"alg":"RSA1_5","enc":"A256GCM","kid":"NAME"}""",
        """{"alg":"dir","enc":"A256GCM","kid":"NAME"}""",
        """{"alg":"RSA-OAEP-256","enc":"A256GCM"}""",
        """{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"unknown"}""",
    ];

    [Theory]
    [MemberData(nameof(InnerHeads))]
    public void Inner_heads_that_are_not_the_one_are_refused(string head) =>
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims(), head.Replace("NAME", NodeName)))));

    [Fact]
    public void Claims_are_read_strictly()
    {
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims()[..^1] + ",\"iss\":\"" + SenderName + "\"}")))); // a member twice
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims() + "{}"))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims().Replace($"{NowS},", $"{NowS}.5,")))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims().Replace($"\"iat\":{NowS}", "\"iat\":-1")))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims().Replace("{\"iss\"", "{\"x\":{\"iss\":1},\"iss\"")))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims(key: RsaKeyText.Url(new byte[32]) + "=")))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims(jti: RsaKeyText.Url(new byte[16])[..^1] + "B"))))); // bits after the last byte
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims(iss: Caller("other", "").Thumbprint)))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(Claims(aud: SenderName)))));
        Assert.Equal(SealFault.CannotOpen, Result(Sign(Wrap(new string(' ', 1000) + Claims()))));
    }

    [Fact]
    public void Forms_of_a_compact_text_are_one()
    {
        string made = Encoding.ASCII.GetString(Made);
        foreach (string other in (string[])[made + "=", made + "\n", " " + made, made + ".", "." + made, made.Replace(".", ".."), made + ".AAAA", new string('A', 5000)])
        {
            Assert.Equal(SealFault.CannotOpen, Result(Encoding.ASCII.GetBytes(other)));
        }

        Assert.Null(CompactText.Decode("AB"u8));   // two bits too many
        Assert.Null(CompactText.Decode("A"u8));
        Assert.Null(CompactText.Decode("AA+A"u8));
        Assert.Null(CompactText.Decode("AA=="u8));
        Assert.Equal(new byte[] { 0 }, CompactText.Decode("AA"u8));
        Assert.Equal(Array.Empty<byte>(), CompactText.Decode(""u8));
    }

    private static SealFault Result(byte[] opening) => Gate().Open(opening, NowS * 1000, 0, out _);

    private static byte Next(byte letter, int steps) => letter == '.' ? (byte)'A'
        : (byte)Alphabet[(Alphabet.IndexOf((char)letter) + steps) % Alphabet.Length];
}
