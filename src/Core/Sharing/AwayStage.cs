namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// The stage of a job's way to a sibling and back: <c>home → going → guest → ended → home</c>, or <c>going → refused → home</c>. The loop
/// that has the object changes the stage: the home in home, ended and refused, and the sibling in going and guest.
/// </summary>
internal enum AwayStage
{
    /// <summary>The object is at home.</summary>
    Home,

    /// <summary>The job was sent to the sibling.</summary>
    Going,

    /// <summary>The sibling has the job.</summary>
    Guest,

    /// <summary>The sibling had no room: the job was not begun, and comes back.</summary>
    Refused,

    /// <summary>The job has its answer, whose end comes back.</summary>
    Ended,
}
