using System.CommandLine;
using System.Globalization;
using Cocaine.Fast.Host.Commands.Control;
using Cocaine.Fast.Host.Commands.Shells;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Host.Views;

namespace Cocaine.Fast.Host.Commands.Keys;

/// <summary><c>cocaine-fast keys new|list|show|check</c>: pairs of RSA keys.</summary>
internal static class RsaCommands
{
    /// <summary>The folder of the keys of a node that is installed.</summary>
    private const string UsualFolder = "/etc/cocaine-fast/keys";

    public static Command New()
    {
        Argument<string> name = KeyNames.RsaArgument("The name of both files");
        Option<string> folder = Folder();
        Option<bool> force = KeyNames.Force();
        Command command = new Command(
            "new", "Make a pair of RSA keys of 3072 bits: own/NAME.pem for its owner alone, and NAME.pub for everybody.")
        {
            name, folder, force,
        }.Example("cocaine-fast keys new billing --keys keys");
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            RsaKeyEntry key = RsaKeyFolder.Make(parsed.GetValue(folder)!, parsed.GetValue(name)!, parsed.GetValue(force));
            Console.WriteLine($"kid {key.KeyId}");
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    public static Command List()
    {
        Option<string> folder = Folder();
        Option<bool> json = ControlCommands.Json(), wide = AppViews.Wide();
        Command command = new Command("list", "List the RSA keys: the node's own, and those that it trusts.") { folder, wide, json }
            .Example("cocaine-fast keys list --keys keys");
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            IReadOnlyList<RsaKeyEntry> keys = RsaKeyFolder.Read(parsed.GetValue(folder)!);
            if (parsed.GetValue(json))
            {
                ControlCommands.PrintJson(keys.Select(Facts));
            }
            else
            {
                KeyColumns().Write(keys, Screen.Current.Wide(parsed.GetValue(wide)));
            }

            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    public static Command Show()
    {
        Argument<string> name = KeyNames.RsaArgument("The name of the key");
        Option<string> folder = Folder();
        Command command = new Command("show", "Show the RSA keys of a name, with the public key for those who shall trust it.")
        {
            name, folder,
        }.Example("cocaine-fast keys show billing --keys keys");
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            RsaKeyEntry[] keys = [.. RsaKeyFolder.Read(parsed.GetValue(folder)!).Where(key => key.Name == parsed.GetValue(name))];
            if (keys.Length == 0)
            {
                throw new FormatException($"no key '{parsed.GetValue(name)}' is in {parsed.GetValue(folder)}");
            }

            foreach (RsaKeyEntry key in keys)
            {
                Console.WriteLine($"{(key.IsOwn ? "own" : "trusted")} {key.Path}");
                Console.WriteLine(key.KeyId.Length == 0 ? $"mistake: {key.Problem}"
                    : $"kid {key.KeyId}\nbits {key.Bits}{(key.Problem is null ? "" : $"\nmistake: {key.Problem}")}\n{key.PublicText}");
            }

            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    public static Command Check()
    {
        Option<string> folder = Folder();
        Command command = new Command(
            "check", "Check the folder of RSA keys, and report every mistake: modes, owners, weak and damaged keys.")
        {
            folder,
        }.Example("cocaine-fast keys check --keys keys");
        command.SetAction((parsed, _) => Guarded.RunAsync(() =>
        {
            string path = parsed.GetValue(folder)!;
            IReadOnlyList<RsaKeyEntry> keys = RsaKeyFolder.Read(path);
            string[] mistakes =
            [
                .. RsaKeyFolder.FolderProblems(path),
                .. keys.Where(key => key.Problem is not null).Select(key => $"{key.Path}: {key.Problem}"),
                .. keys.Any(key => key.Problem is not null) ? [] : RsaKeyFolder.CommonProblems(path),
                .. keys.Where(key => key.IsOwn && IsOtherPair(key, keys)).Select(key =>
                    $"{key.Path}: {key.Name}.pub is not the public key of this one"),
            ];
            foreach (string mistake in mistakes)
            {
                Complaint.SayOfPeer(mistake);
            }

            if (mistakes.Length == 0)
            {
                Console.WriteLine("ok");
            }

            return Task.FromResult(mistakes.Length == 0 ? ExitCodes.Ok : ExitCodes.Invalid);
        }));
        return command;
    }

    private static bool IsOtherPair(RsaKeyEntry own, IReadOnlyList<RsaKeyEntry> keys) => own.KeyId.Length > 0
        && keys.Any(key => !key.IsOwn && key.Name == own.Name && key.KeyId.Length > 0 && key.KeyId != own.KeyId);

    private static Columns<RsaKeyEntry> KeyColumns() => new(
        new("name", key => key.Name),
        new("key", key => key.IsOwn ? "own" : "trusted"),
        new("bits", key => key.Bits == 0 ? "" : key.Bits.ToString(CultureInfo.InvariantCulture)) { Drop = 1, IsRight = true },
        new("kid", key => key.KeyId),
        new("mistake", key => key.Problem ?? "") { IsNote = true });

    private static Dictionary<string, object?> Facts(RsaKeyEntry key) => new()
    {
        ["name"] = key.Name,
        ["own"] = key.IsOwn,
        ["file"] = key.Path,
        ["bits"] = key.Bits,
        ["kid"] = key.KeyId,
        ["mistake"] = key.Problem,
    };

    private static Option<string> Folder() => new("--keys")
    {
        Description = $"The folder of keys; {UsualFolder} when it is not given",
        DefaultValueFactory = _ => UsualFolder,
    };
}
