using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Core.Tests.Terminal;

public class PlainTextTests
{
    [Theory]
    [InlineData("plain text, žluťoučký 😀", "plain text, žluťoučký 😀")]
    [InlineData("\u001b[31mred", "\\u001b[31mred")]
    [InlineData("\u001b]0;title\u0007", "\\u001b]0;title\\u0007")]
    [InlineData("one\rtwo\nthree\tfour", "one\\u000dtwo\\u000athree\\u0009four")]
    [InlineData("\u009b31m\u0085\u007f", "\\u009b31m\\u0085\\u007f")]
    [InlineData("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066")]
    [InlineData("line\u2028separator\ufeff", "line\\u2028separator\\ufeff")]
    public void On_one_line_nothing_drives_a_terminal(string text, string shown) => Assert.Equal(shown, PlainText.OneLine(text));

    [Theory]
    [InlineData("one\r\ntwo\n\tthree", "one\ntwo\n\tthree")]
    [InlineData("one\rtwo\u001b[A", "one\\u000dtwo\\u001b[A")]
    [InlineData("ends\r", "ends\\u000d")]
    public void Lines_keep_their_breaks_and_nothing_else(string text, string shown) => Assert.Equal(shown, PlainText.Lines(text));

    [Fact]
    public void Indented_lines_do_not_pass_for_lines_of_the_program() =>
        Assert.Equal("one\n    two\n    \\u001bthree", PlainText.Indented("one\ntwo\n\u001bthree\n\n"));

    [Fact]
    public void No_character_of_unicode_that_does_not_print_is_left()
    {
        StringBuilder all = new();
        for (int code = 0; code <= 0x10ffff; code++)
        {
            all.Append(Rune.IsValid(code) ? new Rune(code).ToString() : "\ud800"); // half of a pair, too
        }

        Assert.DoesNotContain(PlainText.OneLine(all.ToString()).EnumerateRunes(), letter => Rune.GetUnicodeCategory(letter)
            is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
    }
}
