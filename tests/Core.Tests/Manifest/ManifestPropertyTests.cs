using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Manifest;

/// <summary>Whatever is in a file, it is read or has problems with places; nothing throws.</summary>
public class ManifestPropertyTests
{
    private static readonly DriverTable Drivers = DriverRegistry.Table;

    private static readonly string[] Words =
    [
        .. ManifestKeys.Top.Concat(IsolationKeys.All).Concat(ManifestKeys.Args).Concat(ManifestKeys.Pubsub).Concat(ManifestKeys.Engine)
            .Concat(Drivers.Names.SelectMany(name => Drivers.Find(name)!.Keys)).Select(spec => spec.Name),
        .. ManifestKeys.Types, .. Drivers.Names,
        "", "\\u0000", "\\ud83d\\ude00", "\\ud800", "*", "tcp://lo:1", "tcp://:", "ipc:///", "@daily",
        "1ms", "1e9d", "local://", "ms",
    ];

    private static readonly Gen<string> Scalar = Gen.OneOf(
        OneOf(Words).Select(word => $"\"{word}\""),
        Gen.Double.Where(double.IsFinite).Select(number => FormattableString.Invariant($"{number:R}")),
        OneOf("null", "true", "false", "0", "-1", "1e999", "-1e999", "9223372036854775808", "/* c */ 1"));

    [Fact]
    public void Mutated_samples() => Gen.Select(
        OneOf("good/readme.json", "good/every-driver.json", "broken-values.json"), Change.Array[1, 6]).Sample(
        (name, changes) =>
        {
            List<byte> bytes = [.. File.ReadAllBytes(Path.Combine(Samples.Folder, name))];
            foreach ((int at, byte with, int what) in changes)
            {
                int place = at % bytes.Count;
                switch (what)
                {
                    case 0:
                        bytes.RemoveRange(place, Math.Min(5, bytes.Count - place - 1));
                        break;
                    case 1:
                        bytes[place] = with;
                        break;
                    default:
                        bytes[place] = (byte)"{}[]\",:-"[with % 8];
                        break;
                }
            }

            Check(bytes.ToArray());
        },
        iter: 3000, threads: 1);

    [Fact]
    public void Random_documents_of_known_names() => Value(4).Sample(text => Check(Encoding.UTF8.GetBytes(text)), iter: 3000, threads: 1);

    [Fact]
    public void Random_values_for_every_key() => Gen.Select(OneOf([.. Drivers.Names]), Value(2), Value(2)).Sample(
        (driver, one, two) =>
        {
            string keys = Members(Drivers.Find(driver)!.Keys, one, two);
            string engine = Members(ManifestKeys.Engine, two, one);
            Check(Encoding.UTF8.GetBytes(
                $"{{\"name\":{two},\"type\":{one},\"args\":{two},\"version\":{one},"
                + $"\"engine\":{{{engine}}},\"pubsub\":{{\"endpoint\":{one}}},"
                + $"\"tasks\":{{\"x\":{{\"type\":\"{driver}\",{keys}}}}}}}"));
        },
        iter: 3000, threads: 1);

    private static string Members(IReadOnlyList<KeySpec> specs, string even, string odd) =>
        string.Join(",", specs.Select((spec, index) => $"\"{spec.Name}\":{(index % 2 == 0 ? even : odd)}"));

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static Gen<(int At, byte With, int What)> Change => Gen.Select(Gen.Int[0, 100_000], Gen.Byte, Gen.Int[0, 2]);

    private static Gen<string> Value(int depth) => depth == 0 ? Scalar : Gen.OneOf(
        Scalar,
        Value(depth - 1).Array[0, 3].Select(items => $"[{string.Join(",", items)}]"),
        Gen.Select(OneOf(Words), Value(depth - 1)).Array[0, 6]
            .Select(members => $"{{{string.Join(",", members.Select(member => $"\"{member.Item1}\":{member.Item2}"))}}}"));

    private static void Check(byte[] utf8)
    {
        ManifestResult result = ManifestReader.Read(utf8, "my-app.json");
        Assert.Equal(result.Manifest is null, result.Problems.Any(problem => !problem.IsWarning));
        Assert.All(result.Problems, problem =>
        {
            Assert.True(problem.Line >= 1 && problem.Column >= 1 && problem.Path.StartsWith('$'));
            Assert.DoesNotContain('\n', problem.ToString());
        });
    }
}
