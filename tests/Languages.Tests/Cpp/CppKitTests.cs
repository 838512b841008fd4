namespace Cocaine.Fast.Languages.Tests.Cpp;

/// <summary>cocaine/testing.hpp: handlers without a node.</summary>
public class CppKitTests
{
    [CppFact]
    public void The_kit_runs_every_kind_of_handler() => RunProgram("testing");

    /// <summary>With a node that takes calls back at the moments that matter.</summary>
    [CppFact]
    public void What_is_taken_back_does_not_begin_and_no_more_begin_than_may() => RunProgram("begin");

    /// <summary>With a node that holds channels, and with one that is asked to.</summary>
    [CppFact]
    public void A_held_writer_waits_and_a_slow_reader_lets_the_node_wait() => RunProgram("flow");

    /// <summary>An app may include any header of the SDK first.</summary>
    [CppFact]
    public void Each_header_stands_for_itself()
    {
        string include = Path.Combine(Repository.Root, "workers/cpp/include");
        foreach (string header in Directory.EnumerateFiles(include, "*.hpp", SearchOption.AllDirectories))
        {
            if (SealingCpp.Missing is not null && (header.Contains("seal", StringComparison.Ordinal) || header.Contains("libcrypto", StringComparison.Ordinal)))
            {
                continue; // they need OpenSSL's headers, and no app includes them
            }

            CppBuild.Run("g++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I" + include, "-x", "c++", "-include", header, "/dev/null");
        }
    }

    private static void RunProgram(string source)
    {
        string folder = Directory.CreateTempSubdirectory("cocaine-kit-").FullName;
        try
        {
            string program = Path.Combine(folder, source);
            CppBuild.Run("g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread",
                "-I" + Path.Combine(Repository.Root, "workers/cpp/include"), Path.Combine(Repository.Root, $"tests/contract/cpp/{source}.cpp"), "-o", program);
            CppBuild.Run(program);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
