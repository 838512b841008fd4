using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Digests;

namespace Cocaine.Fast.Core.Tests.Digests;

/// <summary>Digests by the published examples, and by those of .NET for each length around a block.</summary>
public sealed class Sha256Tests
{
    [Theory]
    [InlineData("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    [InlineData("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")]
    public void It_is_that_of_the_published_examples(string text, int times, string digest) =>
        Assert.Equal(digest, Sha256.HexOf(Encoding.ASCII.GetBytes(new StringBuilder().Insert(0, text, times).ToString())));

    [Fact]
    public void Texts_of_each_length_around_a_block_have_the_digest_that_dotnet_gives()
    {
        byte[] text = new byte[400];
        new Random(600).NextBytes(text);
        for (int length = 0; length <= text.Length; length++)
        {
            Assert.Equal(SHA256.HashData(text.AsSpan(0, length)), Sha256.HashOf(text.AsSpan(0, length)));
        }
    }
}
