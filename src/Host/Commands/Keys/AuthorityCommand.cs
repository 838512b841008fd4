using System.CommandLine;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary><c>cocaine-fast keys ca DIRECTORY</c></summary>
internal static class AuthorityCommand
{
    /// <summary>Ten years: the certificates below it are the ones to renew.</summary>
    private const int UsualDays = 3650;

    public static Command Create()
    {
        Argument<string> folder = Folder("The folder to make the authority in");
        Option<string> title = new("--name")
        {
            Description = "The authority's name in its certificates",
            DefaultValueFactory = _ => "cocaine-fast CA",
        };
        title.Check(KeyNames.IsTitle, "--name: at most 64 printable letters of ASCII are needed");
        Option<int> days = KeyNames.Days(UsualDays, "The life of the authority in days");
        Option<bool> force = KeyNames.Force();
        Command command = new Command("ca", "Make an authority that signs certificates: ca.pem, and its key ca.key (ECDSA P-256).")
        {
            folder, title, days, force,
        }.Example("cocaine-fast keys ca tls");
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            DateTimeOffset end = Authority.Make(
                parsed.GetValue(folder)!, parsed.GetValue(title)!, parsed.GetValue(days), parsed.GetValue(force));
            Console.WriteLine($"valid until {KeyNames.Moment(end)}");
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    /// <summary>The argument for the authority's folder.</summary>
    public static Argument<string> Folder(string description) => new("directory") { Description = description };
}
