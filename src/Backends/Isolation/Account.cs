using System.Globalization;

namespace Cocaine.Fast.Backends.Isolation;

/// <summary>The user that an app's workers run as.</summary>
/// <param name="Name">The user's name; null when the number has no name.</param>
/// <param name="UserId">The user's number.</param>
/// <param name="GroupId">The group's number.</param>
/// <param name="Home">The user's home; null when the number has no entry.</param>
internal sealed record Account(string? Name, uint UserId, uint GroupId, string? Home)
{
    /// <summary>
    /// Looks up a user and a group in /etc/passwd and /etc/group; null when neither is given. Users of a directory service are given by
    /// their numbers.
    /// </summary>
    /// <exception cref="IOException">There is no such user or group.</exception>
    public static Account? Find(string? user, string? group)
    {
        if (user is null && group is null)
        {
            return null;
        }

        string wanted = user ?? Environment.UserName;
        string[]? entry = Lookup("/etc/passwd", wanted, fields: 7);
        if (entry is null && !IsNumber(wanted))
        {
            throw new IOException($"isolation.user: there is no user {wanted} in /etc/passwd; give other users by number");
        }

        uint groupId = group is not null ? GroupOf(group)
            : entry is not null ? Number(entry[3])
            : throw new IOException($"isolation.user: the user {wanted} has no entry in /etc/passwd: give its group with isolation.group");
        return new Account(entry?[0], entry is null ? Number(wanted) : Number(entry[2]), groupId, entry?[5]);
    }

    /// <summary>The number of a user by name, as /etc/passwd has it; null when it has no user of that name.</summary>
    public static uint? NumberOf(string name) => Lookup("/etc/passwd", name, fields: 7) is { } entry ? Number(entry[2]) : null;

    private static uint GroupOf(string group) => Lookup("/etc/group", group, fields: 4) is { } entry ? Number(entry[2])
        : IsNumber(group) ? Number(group)
        : throw new IOException($"isolation.group: there is no group {group} in /etc/group; give other groups by number");

    /// <summary>The line with this name, or with this number.</summary>
    private static string[]? Lookup(string file, string wanted, int fields) => File.ReadLines(file).Select(line => line.Split(':'))
        .FirstOrDefault(entry => entry.Length >= fields && (entry[0] == wanted || (IsNumber(wanted) && entry[2] == wanted)));

    private static bool IsNumber(string text) => text.All(char.IsAsciiDigit);

    private static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);
}
