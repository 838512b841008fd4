namespace Cocaine.Fast.Harness;

/// <summary>A test of apps in a language whose interpreter need not be on this machine: without it, it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(string program, string package)
    {
        string folders = $"/usr/bin:{Environment.GetEnvironmentVariable("PATH")}";
        if (!folders.Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
        {
            Skip = $"{program} is not on this machine: apt-get install {package}";
        }
    }
}
