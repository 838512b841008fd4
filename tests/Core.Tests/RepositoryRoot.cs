namespace Cocaine.Fast.Core.Tests;

internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Cocaine.Fast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("Cocaine.Fast.sln is in no folder above the tests");
    }
}
