using System.Text;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The tables of docs/node.md, made from the same tables that check configs.</summary>
internal static class ConfigDocumentation
{
    /// <summary>All tables as Markdown.</summary>
    public static string Tables()
    {
        StringBuilder text = new();
        KeyTable.Write(text, "### The whole", ConfigKeys.Top);
        KeyTable.Write(text, "### control", ConfigKeys.Control);
        KeyTable.Write(text, "### log", ConfigKeys.Log);
        KeyTable.Write(text, "### web", WebKeys.Top);
        KeyTable.Write(text, "### cluster", ClusterKeys.Top);
        KeyTable.Write(text, "### cluster.engine-tls", ClusterKeys.Tls);
        KeyTable.Write(text, "### security", SecurityKeys.Top);
        KeyTable.Write(text, "### security.tls", SecurityKeys.Tls);
        KeyTable.Write(text, "### security.tls.names", SecurityKeys.TlsName);
        KeyTable.Write(text, "### security.identities", SecurityKeys.Identity);
        KeyTable.Write(text, "### security.rights", SecurityKeys.Rule);
        return text.Append(EnvironmentNames.Table()).ToString();
    }
}
