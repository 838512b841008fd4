namespace Cocaine.Fast.Harness;

/// <summary>The repository that the tests are of.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cocaine.Fast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("Cocaine.Fast.sln is in no folder above the tests");
    }
}
