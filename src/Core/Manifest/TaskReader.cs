using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads <c>tasks</c>, each task by the table of its driver.</summary>
internal sealed class TaskReader(
    ProblemList problems, KeyReader keys, EndpointChecks endpoints, DriverTable drivers, IReadOnlyList<string> customDrivers)
{
    private static readonly KeySpec CustomNumber = new("", KeyKind.Integer, "");

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
            else if (Encoding.UTF8.GetByteCount(member.Name) is 0 or > OpeningBounds.MaxNameBytes)
            {
                problems.Add(member.Offset, path, $"a task's name has 1 to {OpeningBounds.MaxNameBytes} bytes");
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
            string known = string.Join(", ", drivers.Names.Concat(customDrivers));
            problems.Add(item.Offset, path, $"the key 'type' is missing: one of {known}");
            return null;
        }

        if (type.Kind == JsonValueKind.String && customDrivers.Contains(type.Text))
        {
            return new TaskManifest { Name = member.Name, DriverType = type.Text, Keys = CustomKeys(item, path) };
        }

        if (type.Kind != JsonValueKind.String || drivers.Find(type.Text) is not { } driver)
        {
            string[] known = [.. drivers.Names, .. customDrivers];
            string near = ProblemList.Nearest(type.Text, known);
            problems.Add(
                type.Offset, $"{path}.type",
                type.Kind != JsonValueKind.String ? $"expected the name of a driver, found {type.KindName}"
                : $"there is no driver '{JsonPath.Shown(type.Text)}'{(near.Length > 0 ? near : ": one of " + string.Join(", ", known))}");
            return null;
        }

        Dictionary<string, object> values = keys.Read(item, path, driver.Keys, "type");
        if (values.ContainsKey("endpoint"))
        {
            endpoints.Check(item["endpoint"], $"{path}.endpoint", path, driver.ZeroMqName(values), binds: !driver.Connects(values));
        }

        if (driver.Check(values) is { } mistake)
        {
            problems.Add(item[mistake.Key]!.Offset, $"{path}.{mistake.Key}", mistake.Message);
        }

        return new TaskManifest
        {
            Name = member.Name,
            DriverType = driver.Type,
            Driver = driver,
            Endpoints = values.GetValueOrDefault("endpoint") as string[] ?? [],
            Events = values.GetValueOrDefault("events") as string[] ?? [],
            Backlog = values.TryGetValue("backlog", out object? backlog) ? (int)(long)backlog : 0,
            Keys = values,
        };
    }

    /// <summary>The keys of a driver without a table: texts, whole numbers, booleans and lists of texts.</summary>
    private Dictionary<string, object> CustomKeys(JsonTree item, string path)
    {
        Dictionary<string, object> values = [];
        foreach (JsonMember member in item.Members.Where(member => member.Name != "type"))
        {
            JsonTree value = member.Value;
            bool isCommon = member.Name == ManifestKeys.JobTimeout.Name;
            object? read = value.Kind switch
            {
                _ when isCommon => keys.ReadValue(ManifestKeys.JobTimeout, value, JsonPath.Member(path, member.Name)),
                JsonValueKind.String => value.Text,
                JsonValueKind.Number => KeyValues.Of(CustomNumber, value),
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Array when value.Items.All(text => text.Kind == JsonValueKind.String) =>
                    value.Items.Select(text => text.Text).ToArray(),
                _ => null,
            };
            string at = JsonPath.Member(path, member.Name);
            if (read is null && isCommon)
            {
                continue; // already reported
            }

            if (read is null)
            {
                problems.Wrong(value, at, "a string, a whole number, true or false, or a list of strings");
            }
            else if (!values.TryAdd(member.Name, read))
            {
                problems.Add(member.Offset, at, "the key stands here twice");
            }
        }

        return values;
    }
}
