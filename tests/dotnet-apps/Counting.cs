using System.Globalization;
using System.Text;
using Cocaine.Fast.Worker;

namespace Cocaine.TestApps;

/// <summary>Writes down each begin of its handler, and then takes as long as the request says.</summary>
public sealed class Counting
{
    /// <summary>The request is <c>FILE|ID|MS</c>, and the answer the id.</summary>
    [Event("mark")]
    public string Mark(string request)
    {
        string[] parts = request.Split('|');
        string ownFile = $"{parts[0]}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}"; // .NET opens no file to append as one step
        using (FileStream file = new(ownFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            file.Write(Encoding.ASCII.GetBytes(parts[1] + "\n"));
        }

        int ms = int.Parse(parts[2], CultureInfo.InvariantCulture);
        if (ms > 0)
        {
            Thread.Sleep(ms);
        }

        return parts[1];
    }
}
