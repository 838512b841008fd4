using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary><c>cocaine-fast keys certificate DIRECTORY NAME</c></summary>
internal static class CertificateCommand
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1", ClientUsage = "1.3.6.1.5.5.7.3.2";

    /// <summary>A year: short enough that renewal is practised.</summary>
    private const int UsualDays = 365;

    public static Command Create()
    {
        Argument<string> folder = AuthorityCommand.Folder("The folder of the authority");
        Argument<string> name = KeyNames.Argument("The name of the files, and of the client");
        Option<string[]> hosts = new("--host")
        {
            Description = "A name or an address by which callers reach the node, once for each; NAME when it is not given",
        };
        Option<bool> client = new("--client") { Description = "The certificate is a client's, and not a node's" };
        Option<string?> uri = new("--uri") { Description = "The client's name as a URI, in place of DNS:NAME" };
        Option<int> days = KeyNames.Days(UsualDays, "The life of the certificate in days, never longer than the authority's");
        Option<bool> force = KeyNames.Force();
        Command command = new(
            "certificate",
            "Make a certificate for a node or a client, signed by the authority: NAME.pem, and its key NAME.key.\n\nExamples:\n"
            + "  cocaine-fast keys certificate tls node --host node.example.org --host 10.0.0.7\n"
            + "  cocaine-fast keys certificate tls billing --client")
        {
            folder, name, hosts, client, uri, days, force,
        };
        command.Check(result => Problem(
            result.GetValue(name), result.GetValue(hosts) ?? [], result.GetValue(client), result.GetValue(uri)));
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            string[] given = parsed.GetValue(hosts) ?? [];
            Run(parsed.GetValue(folder)!, parsed.GetValue(name)!, given, parsed.GetValue(client), parsed.GetValue(uri),
                parsed.GetValue(days), parsed.GetValue(force));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    private static string? Problem(string? name, string[] hosts, bool isClient, string? uri)
    {
        if (name is null || !KeyNames.IsName(name))
        {
            return null; // the argument's own check has told
        }

        if (name == Authority.Name)
        {
            return $"the files '{Authority.Name}' are the authority's: choose another name";
        }

        if (isClient)
        {
            return hosts.Length > 0 ? "--host is for nodes: a client has its own name, or --uri"
                : uri is null ? DefaultHostProblem(name) : IsUri(uri) ? null : $"--uri: '{uri}' is no URI, such as spiffe://shop/billing";
        }

        return uri is not null ? "--uri is for clients: give --client too"
            : hosts.FirstOrDefault(host => !KeyNames.IsAddress(host, out _) && !KeyNames.IsHost(host)) is { } wrong
                ? $"--host: '{wrong}' is neither the name of a host nor an address"
            : hosts.Length == 0 ? DefaultHostProblem(name) : null;
    }

    private static string? DefaultHostProblem(string name) => KeyNames.IsHost(name) ? null
        : $"'{name}' cannot be the name of a host or a client: give --host, or --uri";

    private static bool IsUri(string text) => text.Length <= 2048 && text.All(letter => letter is > ' ' and <= '~')
        && Uri.TryCreate(text, UriKind.Absolute, out _);

    private static void Run(string folder, string name, string[] hosts, bool isClient, string? uri, int days, bool mayReplace)
    {
        SubjectAlternativeNameBuilder names = new();
        List<string> shown = [];
        foreach (string host in hosts.Length > 0 ? hosts : uri is null ? [name] : [])
        {
            if (KeyNames.IsAddress(host, out IPAddress address))
            {
                names.AddIpAddress(address);
                shown.Add($"IP:{address}");
            }
            else
            {
                names.AddDnsName(host);
                shown.Add($"DNS:{host}");
            }
        }

        if (uri is not null)
        {
            names.AddUri(new Uri(uri));
            shown.Add($"URI:{new Uri(uri).AbsoluteUri}");
        }

        using Authority authority = Authority.Open(folder);
        using X509Certificate2 certificate = authority.Issue(
            folder, name, names, isClient ? ClientUsage : ServerUsage, days, mayReplace);
        Console.WriteLine($"names {string.Join(", ", shown)}");
        Console.WriteLine($"serial {certificate.SerialNumber}");
        Console.WriteLine($"valid until {KeyNames.Moment(certificate.NotAfter)}");
        if (isClient)
        {
            Console.WriteLine("\nThe client in the node's config, among the identities:");
            Console.WriteLine($"  \"{name}\": {{ \"certificate\": [\"{shown[0]}\"] }}");
        }
    }
}
