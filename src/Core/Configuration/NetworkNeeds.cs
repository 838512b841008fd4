using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The protection that a node's config wants of doors that other hosts can reach.</summary>
internal static class NetworkNeeds
{
    /// <summary>The key of the config.</summary>
    public const string Key = "network";

    private const string SealKey = "sealed";

    /// <summary>The remedy that every door has.</summary>
    private const string OnThisHost = "listen on an address of this host alone, such as tcp://lo:PORT";

    /// <summary>The doors of a manifest that have less protection than the node wants, each with its place in the text.</summary>
    public static IReadOnlyList<ManifestProblem> Problems(
        ReadOnlySpan<byte> utf8, string filePath, AppManifest manifest, SecurityConfig security)
    {
        List<TaskManifest> lacking = [.. manifest.Tasks.Where(task => IsDoor(task) && FloorOf(task) < security.Network)];
        string? feed = manifest.PubsubEndpoint is { } endpoint && IsOpen(endpoint) ? FeedProblem(endpoint, security) : null;
        if (lacking.Count == 0 && feed is null)
        {
            return [];
        }

        utf8 = JsonText.WithoutMark(utf8);
        ProblemList problems = new(filePath, utf8.ToArray());
        JsonTree? root = JsonText.Parse(utf8, problems, "manifest");
        foreach (TaskManifest task in lacking)
        {
            JsonTree? text = root?["tasks"]?[task.Name];
            string key = text?[TlsNeeds.Key] is not null ? TlsNeeds.Key : text?[SealKey] is not null ? SealKey : "endpoint";
            string at = $"{JsonPath.Member("$.tasks", task.Name)}.{key}";
            string open = task.Endpoints.First(IsOpen);
            problems.Add(text?[key]?.Offset ?? 0, at, TaskProblem(task, open, security.Network));
        }

        if (feed is not null)
        {
            problems.Add(root?["pubsub"]?["endpoint"]?.Offset ?? 0, "$.pubsub.endpoint", feed);
        }

        return problems.Sorted();
    }

    /// <summary>The lack of the locator; null when there is none.</summary>
    public static string? LocatorProblem(string endpoint, DoorTls tls, NetworkFloor floor)
    {
        DoorTls least = floor switch { NetworkFloor.Open => DoorTls.Off, NetworkFloor.Tls => DoorTls.On, _ => DoorTls.Mutual };
        return tls >= least || !IsOpen(endpoint) ? null
            : $"{Wants(endpoint, floor)}, found '{Word(tls)}': write \"locator-tls\": \"{Word(least)}\", or {OnThisHost}";
    }

    /// <summary>The lack of a door that never has TLS; null when there is none.</summary>
    /// <param name="endpoint">The door's endpoint.</param>
    /// <param name="remedy">A door that can stand in its place; empty for none.</param>
    /// <param name="floor">The protection that the config wants.</param>
    public static string? PlainProblem(string endpoint, string remedy, NetworkFloor floor) =>
        floor == NetworkFloor.Open || !IsOpen(endpoint) ? null
            : $"{Wants(endpoint, floor)}, and this door has no TLS: {remedy}{OnThisHost}";

    /// <summary>The lack of the peer port, which has mutual TLS when the node has a CA; null when there is none.</summary>
    public static string? LinkProblem(string endpoint, bool hasCa, NetworkFloor floor) =>
        hasCa && floor <= NetworkFloor.Mutual ? null
            : PlainProblem(endpoint, "write security.tls with a client-ca, or \"forward\": false, or ", floor);

    private static bool IsDoor(TaskManifest task) => task.Driver?.Connects(task.Keys) != true && task.Endpoints.Any(IsOpen);

    private static bool IsOpen(string endpoint) => !EndpointSyntax.IsOnThisHost(endpoint);

    private static NetworkFloor FloorOf(TaskManifest task) =>
        task.Keys.TryGetValue(SealKey, out object? seal) && seal is "required" ? NetworkFloor.Sealed
        : TlsNeeds.Of(task) switch { DoorTls.Mutual => NetworkFloor.Mutual, DoorTls.On => NetworkFloor.Tls, _ => NetworkFloor.Open };

    private static string TaskProblem(TaskManifest task, string endpoint, NetworkFloor floor)
    {
        bool Has(string key) => task.Driver?.Keys.Any(spec => spec.Name == key) == true;
        List<string> remedies = [];
        if (floor < NetworkFloor.Sealed && Has(TlsNeeds.Key))
        {
            remedies.Add($"write \"{TlsNeeds.Key}\": \"{(floor == NetworkFloor.Tls ? "on" : "mutual")}\"");
        }
        else if (Has(SealKey))
        {
            remedies.Add($"write \"{SealKey}\": \"required\"");
        }

        remedies.Add(OnThisHost);
        string found = Has(TlsNeeds.Key) ? $", found '{Word(TlsNeeds.Of(task))}'" : "";
        return $"{Wants(endpoint, floor)}{found}: {string.Join(", or ", remedies)}";
    }

    /// <summary>Nobody can tell who reads a feed.</summary>
    private static string? FeedProblem(string endpoint, SecurityConfig security) => security.Network != NetworkFloor.Open
        ? $"{Wants(endpoint, security.Network)}, and readers of results have no TLS: {OnThisHost}, and let a tunnel lead there"
        : security.HasRules
            ? $"'{JsonPath.Shown(endpoint)}': other hosts can reach it, the node has rules for its callers, and readers of results prove "
                + $"nothing: {OnThisHost}, and let a tunnel lead there"
            : null;

    private static string Wants(string endpoint, NetworkFloor floor) =>
        $"security.{Key} wants '{floor.ToString().ToLowerInvariant()}' for {JsonPath.Shown(endpoint)}";

    private static string Word(DoorTls tls) => tls.ToString().ToLowerInvariant();
}
