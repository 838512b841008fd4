namespace Cocaine.Fast.Host.Commands.Shells;

/// <summary>
/// The scripts that shells load. The scripts know no commands: at each TAB they give the line to the program (<c>cocaine-fast
/// "[suggest:LENGTH]" "LINE"</c>), so they never become outdated. Options are offered when the word begins with a dash; files are offered
/// where the program has no suggestion.
/// </summary>
internal static class CompletionScripts
{
    public static string Of(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        _ => Fish,
    };

    private const string Bash = """
        # bash completion of cocaine-fast: source <(cocaine-fast completion bash)
        _cocaine_fast() {
            local before="${COMP_LINE:0:COMP_POINT}" word found
            word="${before##*[[:space:]]}"
            local line="cocaine-fast ${before#*[[:space:]]}"
            COMPREPLY=()
            while IFS= read -r found; do
                [[ "$found" == -* && "$word" != -* ]] && continue
                [[ -n "$found" && "$found" == "$word"* ]] && COMPREPLY+=("$found")
            done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)
        }
        complete -o bashdefault -o default -F _cocaine_fast cocaine-fast

        """;

    private const string Zsh = """
        #compdef cocaine-fast
        # zsh completion of cocaine-fast: put it into a folder of $fpath as _cocaine-fast
        _cocaine_fast() {
            local line="cocaine-fast ${(j: :)words[2,CURRENT]}" word="${words[CURRENT]}"
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            found=(${found:#})
            [[ "$word" == -* ]] || found=(${found:#-*})
            if (( ${#found} )); then
                compadd -- "${found[@]}"
            else
                _files
            fi
        }
        if [[ "$funcstack[1]" == "_cocaine-fast" ]]; then
            _cocaine_fast "$@"
        else
            compdef _cocaine_fast cocaine-fast
        fi

        """;

    private const string Fish = """
        # fish completion of cocaine-fast: put it into ~/.config/fish/completions/cocaine-fast.fish
        function __cocaine_fast_complete
            set -l words (commandline -opc)
            set -l word (commandline -ct)
            set -l line (string join ' ' -- cocaine-fast $words[2..-1] "$word")
            for found in ($words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
                if string match -q -- '-*' "$found"; and not string match -q -- '-*' "$word"
                    continue
                end
                echo $found
            end
        end
        complete -c cocaine-fast -a '(__cocaine_fast_complete)'

        """;
}
