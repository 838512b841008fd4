using System.CommandLine;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary><c>cocaine-fast keys revoke DIRECTORY [NAME]</c></summary>
internal static class RevokeCommand
{
    /// <summary>The file of revoked certificates.</summary>
    private const string FileName = "clients.crl";

    /// <summary>A list that has ended lets nobody in, so its end comes no sooner than that of the usual certificate.</summary>
    private const int UsualDays = 365;

    public static Command Create()
    {
        Argument<string> folder = AuthorityCommand.Folder("The folder of the authority");
        Argument<string> name = KeyNames.Argument("The certificate; without it the list is made or renewed as it is", isOptional: true);
        Option<string?> serial = new("--serial") { Description = "The serial number of a certificate whose file is gone" };
        serial.Check(text => text is null || IsSerial(text), "--serial: a hexadecimal number of at most 40 digits is needed");
        Option<int> days = KeyNames.Days(UsualDays, "The life of the list in days: after it nodes let no client in");
        Command command = new Command("revoke", $"Revoke a certificate: the authority signs a new list, {FileName}.")
        {
            folder, name, serial, days,
        }.Example("cocaine-fast keys revoke tls billing");
        command.Check(result => result.GetValue(name) is not null && result.GetValue(serial) is not null
            ? "a name and --serial are both the certificate: give one of them" : null);
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            Run(parsed.GetValue(folder)!, parsed.GetValue(name), parsed.GetValue(serial), parsed.GetValue(days));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    private static bool IsSerial(string text) => text.Length is > 0 and <= 40 && text.All(char.IsAsciiHexDigit);

    private static void Run(string folder, string? name, string? serial, int days)
    {
        using Authority authority = Authority.Open(folder);
        string path = Path.Combine(folder, FileName);
        CertificateRevocationListBuilder list = Load(path, out BigInteger number);
        byte[]? revoked = name is not null ? SerialOf(authority, Path.Combine(folder, name + ".pem"))
            : serial is not null ? Convert.FromHexString(serial.Length % 2 == 0 ? serial : "0" + serial) : null;
        bool isKnown = revoked is not null && list.RemoveEntry(revoked);
        if (revoked is not null)
        {
            list.AddEntry(revoked, DateTimeOffset.UtcNow);
        }

        DateTimeOffset end = DateTimeOffset.UtcNow.AddDays(days);
        NewFiles.Write(mayReplace: true, new NewFile(path, authority.Sign(list, number + 1, end)));
        if (revoked is not null)
        {
            Console.WriteLine($"{(isKnown ? "was revoked before:" : "revoked")} serial {Convert.ToHexString(revoked)}");
        }

        Console.WriteLine($"the list is valid until {KeyNames.Moment(end)}");
    }

    private static CertificateRevocationListBuilder Load(string path, out BigInteger number)
    {
        if (!File.Exists(path))
        {
            number = 0;
            return new CertificateRevocationListBuilder();
        }

        try
        {
            return CertificateRevocationListBuilder.LoadPem(File.ReadAllText(path), out number);
        }
        catch (CryptographicException failure)
        {
            throw new FormatException($"{path} is no list of revoked certificates, or damaged: {failure.Message}", failure);
        }
    }

    private static byte[] SerialOf(Authority authority, string path)
    {
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            return authority.HasIssued(certificate) ? certificate.SerialNumberBytes.ToArray()
                : throw new FormatException($"{path}: another authority has signed it, and only that one can revoke it");
        }
        catch (CryptographicException failure)
        {
            throw new FormatException($"{path} is no certificate, or damaged: {failure.Message}", failure);
        }
    }
}
