using System.Text;
using System.Text.RegularExpressions;
using Cocaine.Fast.Core.Security;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Security;

/// <summary>Compiled rights against rules that are read one by one, for random rules, callers and events.</summary>
public class RightsModelTests
{
    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly Identity[] Identities = [.. Names.Select(name => new Identity { Name = name, Users = [name] })];

    /// <summary>Short words of few letters, so that random patterns and names meet.</summary>
    private static Gen<string> Word(string letters) => Gen.Char[letters].Array[1, 5].Select(chars => new string(chars));

    private static readonly Gen<RightsRule> Rule = Gen.Select(
        Gen.Int[0, Names.Length + RightsRule.Places.Count - 1].Select(index => index < Names.Length ? Names[index] : RightsRule.Places[index - Names.Length])
            .List[1, 3],
        Gen.Select(Word("xy*"), Word("efg*").List[0, 4]).List[0, 3],
        Word("xy*").List[0, 2],
        (callers, calls, locate) => new RightsRule
        {
            Callers = callers,
            Calls = [.. calls.Select(call => new CallGrant(new NamePattern(call.Item1), [.. call.Item2.Select(text => new NamePattern(text))]))],
            Locate = [.. locate.Select(text => new NamePattern(text))],
        });

    private static readonly Gen<Caller> Callers = Gen.Select(
        Gen.Int[-1, Names.Length - 1], Gen.Int[0, 2],
        (index, place) => new Caller(index < 0 ? null : Identities[index], (CallerPlace)place));

    [Fact]
    public void Compiled_bits_are_the_rules() =>
        Gen.Select(Rule.List[0, 5], Callers, Word("xy"), Word("efg").List[1, 90], Gen.Int[0, 89]).Sample((rules, caller, app, events, later) =>
        {
            SecurityRules compiled = new(new SecurityConfig { Identities = Identities, Rights = rules }, 1, static _ => null);
            CallRights rights = new(compiled, caller, app, []);
            List<byte[]> all = [.. events.Select(Encoding.UTF8.GetBytes)];
            List<byte[]> catalog = [.. all.Take(Math.Max(1, later))]; // the rest is learnt while calls go on
            for (int i = 0; i < all.Count; i++)
            {
                if (i >= catalog.Count)
                {
                    catalog.Add(all[i]);
                }

                bool expected = Naive(rules, caller, app, events[i]);
                if (rights.MayCall(i, all[i], catalog) != expected || rights.MayCall(-1, all[i], catalog) != expected)
                {
                    return false;
                }
            }

            return compiled.MayCallSome(in caller, app) == rules.Exists(rule => IsFor(rule, caller) && rule.Calls.Any(call => Fits(call.App, app)))
                && compiled.MayLocate(in caller, app) == rules.Exists(rule => IsFor(rule, caller)
                    && (rule.Calls.Any(call => Fits(call.App, app)) || rule.Locate.Any(pattern => Fits(pattern, app))));
        });

    [Fact]
    public void A_pattern_matches_as_a_regular_expression_does() =>
        Gen.Select(Word("ab*"), Gen.Char["ab"].Array[0, 8].Select(chars => new string(chars)))
            .Sample((pattern, name) => new NamePattern(pattern).Matches(name) == Fits(new NamePattern(pattern), name), iter: 20_000);

    private static bool Naive(List<RightsRule> rules, Caller caller, string app, string name) =>
        rules.Exists(rule => IsFor(rule, caller)
            && rule.Calls.Any(call => Fits(call.App, app) && call.Events.Any(pattern => Fits(pattern, name))));

    private static bool IsFor(RightsRule rule, Caller caller) => rule.Callers.Any(name => name == "@anyone"
        || (name == "@loopback" && caller.Place == CallerPlace.Loopback) || (name == "@local" && caller.Place == CallerPlace.Local)
        || name == caller.Identity?.Name);

    private static bool Fits(NamePattern pattern, string name) =>
        Regex.IsMatch(name, $"^{Regex.Escape(pattern.Text).Replace("\\*", ".*", StringComparison.Ordinal)}$");
}
