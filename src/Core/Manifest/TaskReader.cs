using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads <c>tasks</c>: each by the table of its driver.</summary>
internal sealed class TaskReader(ProblemList problems, KeyReader keys)
{
    private readonly Dictionary<string, string> _taken = [];

    public IReadOnlyList<TaskManifest> Read(JsonTree root)
    {
        JsonTree? tasks = root["tasks"];
        if (tasks is null || tasks.Kind != JsonValueKind.Object || tasks.Members.Count == 0)
        {
            problems.Add(tasks?.Offset ?? root.Offset, tasks is null ? "$" : "$.tasks", tasks is null
                ? "the key 'tasks' is missing: an object with one or more tasks" : "expected an object with one or more tasks");
            return [];
        }

        List<TaskManifest> read = [];
        HashSet<string> seen = [];
        foreach (JsonMember member in tasks.Members)
        {
            string path = $"$.tasks.{member.Name}";
            if (!seen.Add(member.Name))
            {
                problems.Add(member.Offset, path, "the task stands here twice");
            }
            else if (member.Name.Length is 0 or > 256)
            {
                problems.Add(member.Offset, path, "a task's name has 1 to 256 characters");
            }
            else if (ReadTask(member, path) is { } task)
            {
                read.Add(task);
            }
        }

        return read;
    }

    private TaskManifest? ReadTask(JsonMember member, string path)
    {
        JsonTree item = member.Value;
        if (item.Kind != JsonValueKind.Object)
        {
            problems.Add(item.Offset, path, $"expected an object with the driver's 'type' and keys, found {item.KindName}");
            return null;
        }

        if (item["type"] is not { } type)
        {
            problems.Add(item.Offset, path, $"the key 'type' is missing: one of {string.Join(", ", ManifestKeys.Drivers.Keys)}");
            return null;
        }

        if (type.Kind != JsonValueKind.String || !ManifestKeys.Drivers.TryGetValue(type.Text, out IReadOnlyList<KeySpec>? specs))
        {
            string near = ProblemList.Nearest(type.Text, ManifestKeys.Drivers.Keys);
            problems.Add(type.Offset, $"{path}.type", $"there is no driver {type.KindName}{near}");
            return null;
        }

        Dictionary<string, object> values = keys.Read(item, path, specs, "type");
        string[] endpoints = values.GetValueOrDefault("endpoint") as string[] ?? [];
        CheckEndpoints(item, path, type.Text, endpoints, zeroMq: ManifestKeys.ZeroMqDrivers.Contains(type.Text) || values.GetValueOrDefault("transport") as string == "zeromq");
        return new TaskManifest
        {
            Name = member.Name,
            DriverType = type.Text,
            Endpoints = endpoints,
            Events = values.GetValueOrDefault("events") as string[] ?? [],
            Backlog = values.TryGetValue("backlog", out object? backlog) ? (int)(long)backlog : 1024,
            Keys = values,
        };
    }

    private void CheckEndpoints(JsonTree item, string path, string driver, string[] endpoints, bool zeroMq)
    {
        long offset = item["endpoint"]?.Offset ?? item.Offset;
        foreach (string endpoint in endpoints)
        {
            if (zeroMq && endpoint.StartsWith("ipc://", StringComparison.Ordinal))
            {
                problems.Add(
                    offset, $"{path}.endpoint",
                    $"'{endpoint}': {driver} takes tcp:// only, because NetMQ's ipc:// is a loopback port that every local user can connect to");
            }

            bool connects = driver == "zeromq-subscriber" && item["connect"] is not { Kind: JsonValueKind.False };
            if (!connects && !endpoint.EndsWith(":0", StringComparison.Ordinal) && !_taken.TryAdd(endpoint, path))
            {
                problems.Add(offset, $"{path}.endpoint", $"'{endpoint}' is the endpoint of {_taken[endpoint]} already");
            }
        }
    }
}
