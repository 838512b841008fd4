namespace Cocaine.Fast.Harness;

/// <summary>A test of apps in a language whose interpreter need not be on this machine: without it, it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(string program, string package)
    {
        if (!IsHere(program))
        {
            Skip = $"{program} is not on this machine: apt-get install {package}";
        }
    }

    /// <summary>The program is on this machine.</summary>
    public static bool IsHere(string program) =>
        $"/usr/bin:{Environment.GetEnvironmentVariable("PATH")}".Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
