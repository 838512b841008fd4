namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>All cases, in the order of the table.</summary>
internal static class CheckCases
{
    public static IReadOnlyList<CheckCase> All { get; } =
    [
        new("empty request", AlwaysCases.Messages, RequestCases.Empty) { IsInstant = true },
        new("message of 0 B", AlwaysCases.Messages, c => RequestCases.Echo(c, 0)) { IsInstant = true },
        new("message of 64 B", AlwaysCases.Messages, c => RequestCases.Echo(c, 64)) { IsInstant = true },
        new("message of 1 MiB", AlwaysCases.Messages, c => RequestCases.Echo(c, 1 << 20)),
        new("message of 64 MiB", AlwaysCases.Messages, c => RequestCases.Echo(c, 64 << 20)),
        new("answer over 64 MiB", AlwaysCases.Messages, RequestCases.OverLimit),
        new("chunked request", AlwaysCases.Messages, RequestCases.ChunkedRequest) { IsInstant = true },
        new("chunked answer", AlwaysCases.Messages, RequestCases.ChunkedAnswer) { IsInstant = true },
        new("request whole in one write", AlwaysCases.Messages, RequestCases.AtOnce) { IsInstant = true },
        new("streams both ways", AlwaysCases.Messages, RequestCases.BothWays) { IsInstant = true },
        new("interleaved channels", AlwaysCases.Messages, RequestCases.Interleaved) { IsInstant = true },
        new("channel numbers of every width", AlwaysCases.Messages, RequestCases.Numbers),
        new("messages in pieces", "The shared-memory pipe", RequestCases.Pieces) { IsInstant = true },
        new("exception", "Errors", ErrorCases.Exception) { IsInstant = true },
        new("error after chunks", "Errors", ErrorCases.AfterChunks) { IsInstant = true },
        new("error of the app's own", "Errors", ErrorCases.OfTheApp) { IsInstant = true },
        new("unknown event", "Errors", ErrorCases.UnknownEvent) { IsInstant = true },
        new("cancel", "Cancel", ErrorCases.Cancel) { IsInstant = true },
        new("cancel with the caller's error", "Cancel", ErrorCases.CancelWithError) { IsInstant = true },
        new("cancel after the request's end", "Cancel", ErrorCases.CancelAfterEnd),
        new("headers", "Headers", AppCases.Headers) { IsInstant = true },
        new("app name, uuid, task, version", "Start", AppCases.WhoAmI) { IsInstant = true },
        new("output captured", "Output", AppCases.Output) { IsInstant = true },
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
