using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>All metrics of a node, as Prometheus reads them; docs/metrics.md has their names and meanings.</summary>
internal static class MetricsPage
{
    /// <summary>All families, in the order of the text.</summary>
    public static IEnumerable<MetricKind> Kinds =>
        [.. AppFamilies.Kinds, .. SlaveFamilies.Kinds, .. TaskFamilies.Kinds, .. NodeFamilies.Kinds];

    /// <summary>The text, UTF-8.</summary>
    /// <param name="sample">The figures.</param>
    /// <param name="failed">Apps that could not be started.</param>
    /// <param name="maySee">The reader may see the figures of an app.</param>
    /// <param name="form">The form of the text.</param>
    public static byte[] Text(
        NodeSample sample, IEnumerable<AppSummary> failed, Func<string, bool> maySee, MetricsForm form = MetricsForm.Plain)
    {
        MetricsText text = new(form);
        AppSample[] apps = [.. sample.Apps.Where(app => maySee(app.App.Name))];
        AppFamilies.Write(text, apps, failed.Select(app => app.App).Where(maySee));
        SlaveFamilies.Write(text, apps);
        TaskFamilies.Write(text, apps);
        NodeFamilies.Write(text, sample);
        return text.End();
    }
}
