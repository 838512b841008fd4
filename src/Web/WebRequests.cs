using System.Net;
using System.Text;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Node.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Endpoint = Cocaine.Fast.Transport.Sockets.Endpoint;

namespace Cocaine.Fast.Web;

/// <summary>Answers requests. Everything in them is somebody's text: nothing of it is given back.</summary>
internal sealed class WebRequests(NodeDaemon daemon, WebConfig config, Endpoint at, WebToken? token, ILogger log)
{
    private const string PlainType = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// <summary>A sample takes two seconds at most; then the reader is slow.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(10);

    public async Task AnswerAsync(HttpContext call)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(call.RequestAborted);
        limit.CancelAfter(MostTime);
        try
        {
            if (ProblemOf(call.Request) is { } problem)
            {
                await SayAsync(call.Response, problem.Code, problem.Text, limit.Token);
            }
            else
            {
                await SendMetricsAsync(call, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            call.Abort(); // the reader is gone or too slow
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            WebLog.Fault(log, fault);
            if (call.Response.HasStarted)
            {
                call.Abort();
            }
            else
            {
                await SayAsync(call.Response, 500, "the node's log has the cause", limit.Token);
            }
        }
    }

    private (int Code, string Text)? ProblemOf(HttpRequest request) =>
        !IsOwnName(request.Host.Host) ? (421, "this host answers by its own name only: localhost, or the address of web.endpoint")
        : token?.IsIn(request.Headers.Authorization) == false ? (401, "the token of web.token-file is needed: Authorization: Bearer TOKEN")
        : !config.Metrics || request.Path != "/metrics" ? (404, "there is /metrics, when web.metrics is true")
        : !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) ? (405, "GET and HEAD only")
        : null;

    /// <summary>
    /// A page of another site may let its name lead to this host, and so read what its reader may read here. Its requests have that name. A
    /// Unix socket is out of reach for pages.
    /// </summary>
    private bool IsOwnName(string host) => at.Path is not null || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.Equals(at.Host, StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    private async Task SendMetricsAsync(HttpContext call, CancellationToken cancellation)
    {
        bool isOpen = WantsOpen(call.Request.GetTypedHeaders().Accept);
        NodeSample sample = await StatsHistory.Of(daemon.Node).Sampler.SampleAsync();
        byte[] text = MetricsPage.Text(sample, daemon.Failed, static _ => true, isOpen ? MetricsForm.Open : MetricsForm.Plain);
        HttpResponse response = call.Response;
        response.ContentType = isOpen ? OpenType : PlainType;
        response.ContentLength = text.Length;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (!HttpMethods.IsHead(call.Request.Method))
        {
            await response.Body.WriteAsync(text, cancellation);
        }
    }

    /// <summary>The reader likes OpenMetrics 1.0 at least as much as the text format.</summary>
    private static bool WantsOpen(IList<MediaTypeHeaderValue> accept)
    {
        double open = 0, plain = 0;
        foreach (MediaTypeHeaderValue type in accept)
        {
            double quality = type.Quality ?? 1;
            if (type.MediaType == "application/openmetrics-text" && VersionOf(type) is null or "1.0.0")
            {
                open = Math.Max(open, quality);
            }
            else if (type.MediaType is { HasValue: true } name && name == "text/plain")
            {
                plain = Math.Max(plain, quality);
            }
        }

        return open > 0 && open >= plain;
    }

    private static string? VersionOf(MediaTypeHeaderValue type) =>
        type.Parameters.FirstOrDefault(one => one.Name == "version")?.Value.Value?.Trim('"');

    private static Task SayAsync(HttpResponse response, int code, string text, CancellationToken cancellation)
    {
        response.StatusCode = code;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.XContentTypeOptions = "nosniff";
        if (code == 401)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        return response.WriteAsync($"{text}\n", Encoding.UTF8, cancellation);
    }
}
