using System.Text;
using Cocaine.Fast.Cluster.Rollouts;

namespace Cocaine.Fast.Cluster.Tests.Rollouts;

/// <summary>The words of nodes about apps, which come from an engine where anything may stand.</summary>
public class StatusTests
{
    private static readonly AppStatus Status = new(7, AppState.NoCode, 100, 3, 1.5) { Generation = 4, Made = 2, Reason = "no file" };

    [Fact]
    public void A_word_is_read_as_it_was_written()
    {
        Assert.Equal(Status, StatusText.Read(StatusText.Write(Status)));
        Assert.Contains("\"state\":\"no-code\"", Encoding.UTF8.GetString(StatusText.Write(Status)));
        Assert.True(Status.IsSameButForJobs(Status with { Done = 5, Failed = 9 }));
        Assert.False(Status.IsSameButForJobs(Status with { Reason = null }));
    }

    [Theory]
    [InlineData("100", "-100")]
    [InlineData("1.5", "101")]
    [InlineData("1.5", "-1")]
    [InlineData("\"no-code\"", "\"flying\"")]
    [InlineData("\"no-code\"", "3")]
    [InlineData("100", "9223372036854775807")]
    [InlineData("\"version\"", "\"verse\"")]
    [InlineData("}", "")]
    public void What_is_no_word_is_none(string part, string other)
    {
        string text = Encoding.UTF8.GetString(StatusText.Write(Status));
        Assert.Contains(part, text);
        Assert.Null(StatusText.Read(Encoding.UTF8.GetBytes(text.Replace(part, other))));
        Assert.Null(StatusText.Read(StatusText.Write(Status with { Reason = new string('x', AppStatus.LongestReason + 1) })));
        Assert.Null(StatusText.Read([]));
    }
}
