namespace Cocaine.Fast.Cluster.Code;

/// <summary>The rule for symbolic links of a pack: a link leads to a place within the pack, and on its way through no other link.</summary>
internal static class LinkTarget
{
    /// <summary>Checks a link.</summary>
    /// <param name="path">The path of the link in the pack, with slashes.</param>
    /// <param name="target">The text of the link.</param>
    /// <param name="links">The paths of all links of the pack.</param>
    /// <exception cref="CodeException">The link leads out of the pack, or may do so.</exception>
    public static void Check(string path, string target, IReadOnlySet<string> links)
    {
        if (target.Length is 0 or > CodeLimits.LongestPath || target[0] == '/')
        {
            throw Out(path, target);
        }

        List<string> place = [.. path.Split('/')[..^1]];
        string[] steps = target.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < steps.Length; i++)
        {
            if (steps[i] == "..")
            {
                if (place.Count == 0)
                {
                    throw Out(path, target);
                }

                place.RemoveAt(place.Count - 1);
            }
            else if (steps[i] != ".")
            {
                place.Add(steps[i]);
                if (i < steps.Length - 1 && links.Contains(string.Join('/', place)))
                {
                    throw new CodeException($"the link {path} leads through another link, to {target}");
                }
            }
        }
    }

    private static CodeException Out(string path, string target) => new($"the link {path} leads out of the folder, to {target}");
}
