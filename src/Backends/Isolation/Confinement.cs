using System.Globalization;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Backends.Isolation;

/// <summary>
/// The confinement of an app's workers, ready to use: the words that stand before a worker's command line. Each word starts a small program
/// of util-linux or coreutils, which sets one limit and then becomes the next program. Programs that need rights come before the rights are
/// dropped.
/// </summary>
internal sealed class Confinement
{
    /// <summary>No confinement.</summary>
    public static readonly Confinement None = new([], [], null, null);

    private Confinement(IReadOnlyList<string> before, IReadOnlyList<string> privileges, string? workingFolder, Account? account)
    {
        Before = before;
        Privileges = privileges;
        WorkingFolder = workingFolder;
        Account = account;
    }

    /// <summary>Programs before setpriv, with their arguments.</summary>
    public IReadOnlyList<string> Before { get; }

    /// <summary>Options of setpriv.</summary>
    public IReadOnlyList<string> Privileges { get; }

    /// <summary>The folder that workers start in; null = the node's folder.</summary>
    public string? WorkingFolder { get; }

    /// <summary>The user that workers run as; null = the node's user.</summary>
    public Account? Account { get; }

    /// <summary>
    /// Finds out whether this node can confine an app as the manifest asks, and with which programs; makes the app's cgroup.
    /// </summary>
    /// <exception cref="IOException">A right, a program, a user or a folder is missing; the text names it.</exception>
    public static Confinement Of(AppManifest app)
    {
        if (app.Isolation is not { } settings)
        {
            return None;
        }

        Account? account = Account.Find(settings.User, settings.Group);
        Rights rights = Rights.OfThisProcess();
        rights.Check(settings, account);
        List<string> before = [];
        if (settings.Cgroup is not null)
        {
            // The shell joins the group and becomes the worker, so that no part of the worker ever runs outside the group.
            before.AddRange(["/bin/sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", Cgroup.Make(app.Name, settings)]);
        }

        AddLimits(before, settings);
        if (settings.Nice is { } nice)
        {
            // The program nice adds to the node's own value; the manifest has the final value.
            before.AddRange([Tool("nice"), "-n", Text(nice - rights.Nice)]);
        }

        if (settings.Cpus.Count > 0)
        {
            before.AddRange([Tool("taskset"), "-c", string.Join(',', settings.Cpus.Select(cpu => Text(cpu)))]);
        }

        List<string> privileges = settings.NoNewPrivileges ? ["--no-new-privs"] : [];
        if (account is not null && !rights.LeavesGroups(account))
        {
            string groups = account.Name is null ? "--clear-groups" : "--init-groups";
            privileges.AddRange([$"--reuid={account.UserId}", $"--regid={account.GroupId}", groups]);
        }

        if (privileges.Count > 0)
        {
            Tool("setpriv");
        }

        return new Confinement(before, privileges, settings.WorkingFolder, account);
    }

    private static void AddLimits(List<string> words, IsolationSettings settings)
    {
        List<string> limits = [];
        if (settings.MemoryBytes > 0)
        {
            limits.Add($"--data={Text(settings.MemoryBytes)}");
        }

        if (settings.OpenFiles > 0)
        {
            limits.Add($"--nofile={Text(settings.OpenFiles)}");
        }

        if (settings.CpuTimeS > 0)
        {
            // The soft limit comes first: its signal 24 (SIGXCPU) says why the worker died. A worker that ignores the signal is killed a
            // second later.
            limits.Add($"--cpu={Text(settings.CpuTimeS)}:{Text(settings.CpuTimeS + 1)}");
        }

        if (limits.Count > 0)
        {
            words.AddRange([Tool("prlimit"), .. limits, "--"]);
        }
    }

    private static string Tool(string name)
    {
        string? path = new[] { "/usr/bin/", "/bin/" }.Select(folder => folder + name).FirstOrDefault(File.Exists);
        return path ?? throw new IOException($"isolation needs {name}, not on this machine: apt-get install util-linux coreutils");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
