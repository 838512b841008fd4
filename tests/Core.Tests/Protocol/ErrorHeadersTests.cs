using Cocaine.Fast.Core.Protocol;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Protocol;

/// <summary>What an error says besides its reason.</summary>
public class ErrorHeadersTests
{
    [Fact]
    public void They_are_headers_whose_values_are_decimal_text_and_enter_no_table()
    {
        Span<byte> to = stackalloc byte[ErrorHeaders.MaxEncodedBytes];
        int length = new ErrorHeaders { JobId = 17, RetryAfterS = 2 }.Write(to);
        byte[] expected = [0x92, 0x93, 0xc2, 0xa6, .. "job-id"u8, 0xa2, .. "17"u8, 0x93, 0xc2, 53, 0xa1, (byte)'2'];
        Assert.Equal(expected, to[..length].ToArray());
        Assert.Equal(0, default(ErrorHeaders).Write(to));
    }

    [Fact]
    public void Whatever_is_written_on_an_error_is_read_from_it() =>
        Gen.Select(Gen.ULong, Gen.Int[0, int.MaxValue], Gen.Int[0, 9000]).Sample((id, seconds, reasonBytes) =>
        {
            MemorySink sink = new();
            ErrorHeaders headers = new() { JobId = id, RetryAfterS = seconds };
            MessageWriter.WriteError(sink, 7, 1000, 503, new byte[reasonBytes], in headers);
            MessageWriter.WriteClose(sink, 9);
            byte[] bytes = sink.Written.ToArray();
            Assert.Equal(DecodeStatus.Ok, MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout));
            Assert.Equal((1UL, ArgumentShape.Error, 503), (layout.Type, layout.Shape, layout.Code));
            HeaderSet set = new();
            if (layout.HeadersLength > 0)
            {
                MessageView message = new(in layout, bytes);
                Assert.Equal(HeaderStatus.Ok, HeaderReader.Decode(message.Headers, new HeaderTable(), set, ProtocolLimits.Default));
            }

            Assert.Equal((id, seconds), (set.OfError.JobId, set.OfError.RetryAfterS));
        }, iter: 2000);

    [Theory]
    [InlineData(0UL, 0, "")]
    [InlineData(17UL, 0, " (job 17)")]
    [InlineData(17UL, 2, " (job 17; retry after 2 s)")]
    [InlineData(0UL, 60, " (retry after 60 s)")]
    [InlineData(ulong.MaxValue, int.MaxValue, " (job 18446744073709551615; retry after 2147483647 s)")]
    public void A_note_says_the_same_for_people(ulong id, int seconds, string expected)
    {
        Span<byte> to = stackalloc byte[ErrorHeaders.MaxNoteBytes];
        int length = new ErrorHeaders { JobId = id, RetryAfterS = seconds }.WriteNote(to);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(to[..length]));
    }

    [Fact]
    public void What_is_no_number_is_taken_for_none()
    {
        ErrorHeaders headers = default;
        headers.Read("job-id"u8, "x"u8);
        headers.Read("job-id"u8, "1x"u8);
        headers.Read("retry-after"u8, "-1"u8);
        headers.Read("retry-after"u8, "99999999999"u8);
        Assert.Equal((0UL, 0), (headers.JobId, headers.RetryAfterS));
    }
}
