using System.Text.Json;

namespace Cocaine.Fast.Bench.Guard;

/// <summary>What a request may cost at most, from guard.json; each figure's reason stands there.</summary>
/// <param name="AllocatedBytes">Managed bytes, of the node and of a .NET worker each.</param>
/// <param name="Counts">By slave and shape.</param>
internal sealed record GuardBounds(double AllocatedBytes, IReadOnlyList<GuardCount> Counts)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    public static GuardBounds Read() =>
        JsonSerializer.Deserialize<GuardBounds>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "guard.json")), Json)!;

    public GuardCount For(string slave, string shape) => Counts.FirstOrDefault(count => count.Slave == slave && count.Shape == shape)
        ?? throw new InvalidDataException($"guard.json has no bounds for slave {slave} and shape {shape}");
}

/// <summary>Bounds of one kind of slave and one shape, per request.</summary>
internal sealed record GuardCount(
    string Slave, string Shape, double Turns, double Receives, double Sends, double Bells, double? SystemCalls, double? Instructions,
    double? AllocatedBytes)
{
    private const double Tolerance = 1.08;

    /// <summary>The bounds when several slaves share each burst: guard.json has the reason.</summary>
    public GuardCount SharedBy(int slaves, int inFlight) => slaves <= 1 ? this : this with
    {
        Turns = Math.Max(Turns, Tolerance * (slaves + 1) / inFlight),
        Sends = Math.Max(Sends, Tolerance * slaves / inFlight),
        Bells = Math.Max(Bells, Tolerance * slaves / inFlight),
    };
}
