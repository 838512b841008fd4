namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>All cases, in the order of the table.</summary>
internal static class CheckCases
{
    public static IReadOnlyList<CheckCase> All { get; } =
    [
        new("empty request", AlwaysCases.Messages, RequestCases.Empty),
        new("message of 0 B", AlwaysCases.Messages, c => RequestCases.Echo(c, 0)),
        new("message of 64 B", AlwaysCases.Messages, c => RequestCases.Echo(c, 64)),
        new("message of 1 MiB", AlwaysCases.Messages, c => RequestCases.Echo(c, 1 << 20)),
        new("message of 64 MiB", AlwaysCases.Messages, c => RequestCases.Echo(c, 64 << 20)),
        new("chunked request", AlwaysCases.Messages, RequestCases.ChunkedRequest),
        new("chunked answer", AlwaysCases.Messages, RequestCases.ChunkedAnswer),
        new("streams both ways", AlwaysCases.Messages, RequestCases.BothWays),
        new("interleaved channels", AlwaysCases.Messages, RequestCases.Interleaved),
        new("channel numbers of every width", AlwaysCases.Messages, RequestCases.Numbers),
        new("messages in pieces", "The shared-memory pipe", RequestCases.Pieces),
        new("exception", "Errors", ErrorCases.Exception),
        new("error after chunks", "Errors", ErrorCases.AfterChunks),
        new("error of the app's own", "Errors", ErrorCases.OfTheApp),
        new("unknown event", "Errors", ErrorCases.UnknownEvent),
        new("cancel", "Cancel", ErrorCases.Cancel),
        new("cancel after the request's end", "Cancel", ErrorCases.CancelAfterEnd),
        new("headers", "Headers", AppCases.Headers),
        new("app name, uuid, task, version", "Start", AppCases.WhoAmI),
        new("output captured", "Output", AppCases.Output),
        new("recall", "What is begun", RecallCases.Recall),
        new("flow-answer", "Flow control of one channel", FlowCases.Answer),
        new("flow-request", "Flow control of one channel", FlowCases.Request),
        new("slow handler", "Heartbeats", LifeCases.SlowHandler),
        new("heartbeats", "Heartbeats", LifeCases.Heartbeats),
        new("terminate", "Terminate", LifeCases.Terminate) { EndsWorker = true },
        new("terminate with a running job", "Terminate", LifeCases.TerminateBusy) { EndsWorker = true },
        new("disown", "Disown", LifeCases.Disown) { EndsWorker = true },
        new("disown with a waiting handler", "Disown", LifeCases.DisownBusy) { EndsWorker = true },
        new("refused pipe", "The shared-memory pipe", LifeCases.RefusedPipe) { EndsWorker = true, RefusesPipe = true },
    ];
}
