namespace Cocaine.Fast.Transport.Loop;

/// <summary>Tasks of the end of a turn, each once, in the order in which they were first asked for.</summary>
internal sealed class TurnList
{
    private TurnTask[] _tasks = new TurnTask[64];
    private int _count;

    public bool Any => _count > 0;

    public int Count => _count;

    public void Add(TurnTask task)
    {
        if (task.Scheduled)
        {
            return;
        }

        task.Scheduled = true;
        if (_count == _tasks.Length)
        {
            Array.Resize(ref _tasks, _count * 2);
        }

        _tasks[_count++] = task;
    }

    /// <summary>
    /// Runs the tasks that are in the list now. Tasks that are added meanwhile stay for the next turn, so a turn always ends.
    /// </summary>
    public void RunAll()
    {
        int count = _count;
        if (count == 0)
        {
            return;
        }

        int done = 0;
        try
        {
            while (done < count)
            {
                TurnTask task = _tasks[done++];
                task.Scheduled = false;
                task.OnTurnEnd();
            }
        }
        finally
        {
            // Also after a fault in one task: the other tasks must not be lost.
            Array.Copy(_tasks, done, _tasks, 0, _count - done);
            Array.Clear(_tasks, _count - done, done);
            _count -= done;
        }
    }
}
