using System.Text;
using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Protocol;

/// <summary>The headers that prove who calls are apart from all others, however many there are and however they came.</summary>
public class SecretHeaderTests
{
    private static readonly string[] Secret = ["authorization", "Authorization", "AUTHORIZATION", "seal", "Seal"];

    /// <summary>Names that are nearly secret are none: an app may rely on them.</summary>
    private static readonly string[] Usual = ["x-note", "authorizatiom", "authorizations", "proxy-authorization", "sea", "seals", "cookie", ""];

    private static readonly string[] Names = [.. Secret, .. Usual];

    private static readonly ProtocolLimits NoBound = new() { MaxHeaders = int.MaxValue, MaxHeaderBytes = int.MaxValue };

    [Fact]
    public void Secrets_go_on_only_when_they_are_asked_for_and_everything_else_goes_on_in_order() =>
        Gen.Select(
            Gen.Select(Gen.Int[0, Names.Length - 1], Gen.Int[0, 3000], (name, length) => (Name: Names[name], Length: length)).Array[0, 64],
            Gen.Bool).Sample((headers, hasTrace) =>
        {
            HeaderSet set = new();
            if (hasTrace)
            {
                set.Add("trace_id"u8, BitConverter.GetBytes(77L), bare: false);
            }

            foreach ((string name, int length) in headers)
            {
                Assert.True(set.Add(Encoding.ASCII.GetBytes(name), new byte[length], bare: false));
            }

            List<(string, int)> usual = [.. headers.Where(header => Usual.Contains(header.Name)).Select(header => (header.Name, header.Length))];
            byte[] without = set.ForWorker(withSecrets: false).ToArray(), with = set.ForWorker(withSecrets: true).ToArray();
            Assert.Equal(usual, Read(without));
            List<(string, int)> secret = [.. headers.Where(header => Secret.Contains(header.Name)).Select(header => (header.Name, header.Length))];
            Assert.Equal([.. usual, .. secret], Read(with));
            Assert.Equal(without, HeaderSet.WithoutSecrets(with));
            Assert.Equal(without, HeaderSet.WithoutSecrets(without));
            List<(string, int)> rest = [.. usual.Where(header => header.Item1 is not ("cookie" or "x-note"))];
            Assert.Equal(rest, Read(HeaderSet.WithoutSecrets(with, [.. new[] { "Cookie", "X-NOTE" }.Select(Encoding.ASCII.GetBytes)])));
            set.Clear();
            Assert.True(set.ForWorker(withSecrets: true).IsEmpty);
        });

    private static List<(string Name, int Length)> Read(byte[] encoded)
    {
        List<(string Name, int Length)> read = [];
        if (encoded.Length > 0)
        {
            HeaderSet set = new() { Seen = (name, value) => read.Add((Encoding.ASCII.GetString(name), value.Length)) };
            Assert.Equal(HeaderStatus.Ok, HeaderReader.Decode(encoded, new HeaderTable(), set, NoBound));
        }

        return read.FindAll(header => !header.Name.EndsWith("_id", StringComparison.Ordinal));
    }
}
