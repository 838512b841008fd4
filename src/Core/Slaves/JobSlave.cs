using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>A job's runner, seen as a slave. The job itself knows no slaves.</summary>
internal static class JobSlave
{
    extension(Job job)
    {
        /// <summary>
        /// The slave that has the job. Valid in Running and Streaming, and after an answer until the worker has closed its side.
        /// </summary>
        public Slave? Slave => job.Runner as Slave;
    }
}
