using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads <c>tasks</c>: each by the table of its driver.</summary>
internal sealed class TaskReader(ProblemList problems, KeyReader keys, EndpointChecks endpoints)
{
    private const int MaxNameLength = 256;

    public IReadOnlyList<TaskManifest> Read(JsonTree tasks)
    {
        List<TaskManifest> read = [];
        HashSet<string> seen = [];
        foreach (JsonMember member in tasks.Members)
        {
            string path = JsonPath.Member("$.tasks", member.Name);
            if (!seen.Add(member.Name))
            {
                problems.Add(member.Offset, path, "the task stands here twice");
            }
            else if (member.Name.Length is 0 or > MaxNameLength)
            {
                problems.Add(member.Offset, path, $"a task's name has 1 to {MaxNameLength} characters");
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
            problems.Wrong(item, path, "an object with the driver's 'type' and keys");
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
        if (values.ContainsKey("endpoint"))
        {
            bool zeroMq = ManifestKeys.ZeroMqDrivers.Contains(type.Text) || values.GetValueOrDefault("transport") as string == "zeromq";
            bool connects = type.Text == "zeromq-subscriber" && values.GetValueOrDefault("connect") is not false;
            endpoints.Check(item["endpoint"], $"{path}.endpoint", path, zeroMq ? NameOf(type.Text) : null, binds: !connects);
        }

        return new TaskManifest
        {
            Name = member.Name,
            DriverType = ManifestKeys.Aliases.GetValueOrDefault(type.Text, type.Text),
            Endpoints = values.GetValueOrDefault("endpoint") as string[] ?? [],
            Events = values.GetValueOrDefault("events") as string[] ?? [],
            Backlog = values.TryGetValue("backlog", out object? backlog) ? (int)(long)backlog : 0,
            Keys = values,
        };
    }

    private static string NameOf(string driver) => ManifestKeys.ZeroMqDrivers.Contains(driver) ? driver : $"{driver} over ZeroMQ";
}
