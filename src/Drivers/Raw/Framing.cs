namespace Cocaine.Fast.Drivers.Raw;

/// <summary>How bytes are cut into jobs.</summary>
internal enum Framing
{
    /// <summary>A connection is a job.</summary>
    Stream,

    /// <summary>A line is a job.</summary>
    Line,

    /// <summary>A frame behind its big-endian length is a job.</summary>
    Length32,

    /// <summary>The bytes that one receive brings are a job.</summary>
    None,
}
