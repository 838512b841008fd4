namespace Cocaine.Fast.Harness;

/// <summary>A test that gives processes to other users and raises their priority, which root may.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "needs root: workers run as another user here";
        }
    }
}
