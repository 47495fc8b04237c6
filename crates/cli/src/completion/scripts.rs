//! The scripts that bash, zsh and fish load.
//!
//! Each asks the program itself, so they never grow stale. What comes back is data: no script evaluates it.

use super::Shell;

/// Whether candidates carry their descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptions {
    /// Yes, where the shell shows them.
    Shown,
    /// `--no-desc`
    Hidden,
}

/// The script for a shell.
pub(crate) fn script(shell: Shell, descriptions: Descriptions) -> String {
    let text = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
    };
    let ask = match descriptions {
        Descriptions::Shown => "__complete",
        Descriptions::Hidden => "__completeNoDesc",
    };
    text.replace("@ASK@", ask)
}

const BASH: &str = r#"# bash completion for lodger                                -*- shell-script -*-

__lodger_complete() {
    local line word current i glue="" directive=":none"
    local -a words=()
    COMPREPLY=()

    # bash takes = and : for words of their own; join what belongs together.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        if [[ -z "$word" && "${COMP_LINE:0:COMP_POINT}" == *" " ]]; then
            glue=""
        fi
        if [[ ${#words[@]} -gt 0 && ( -n "$glue" || "$word" == [=:]* ) ]]; then
            words[${#words[@]} - 1]+="$word"
        else
            words+=("$word")
        fi
        [[ "$word" == [=:]* ]] && glue=1 || glue=""
    done
    current="${words[${#words[@]} - 1]}"

    while IFS= read -r line; do
        case "$line" in
            :none | :file | :directory) directive="$line" ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("${COMP_WORDS[0]}" __completeNoDesc -- "${words[@]}" 2>/dev/null)

    case "$directive" in
        :file)
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${current#--*=}")
            ;;
        :directory)
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "${current#--*=}")
            ;;
    esac

    # What stands before the last = or : is on the line already.
    if [[ "$current" == *[=:]* && "$COMP_WORDBREAKS" == *[=:]* ]]; then
        local before="${current%"${current##*[=:]}"}"
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]="${COMPREPLY[i]#"$before"}"
        done
    fi
}

complete -F __lodger_complete lodger
"#;

const ZSH: &str = r#"#compdef lodger
# zsh completion for lodger

_lodger() {
    local line candidate about directive=":none"
    local -a described

    while IFS= read -r line; do
        case "$line" in
            :none|:file|:directory) directive="$line" ;;
            *)
                candidate="${line%%$'\t'*}"
                candidate="${candidate//:/\\:}"
                if [[ "$line" == *$'\t'* ]]; then
                    about="${line#*$'\t'}"
                    described+=("${candidate}:${about}")
                else
                    described+=("$candidate")
                fi
                ;;
        esac
    done < <("${words[1]}" @ASK@ -- "${(@)words[2,CURRENT]}" 2>/dev/null)

    case "$directive" in
        :file) compset -P '--*='; _files ;;
        :directory) compset -P '--*='; _files -/ ;;
        *) _describe -V 'lodger' described ;;
    esac
}

if [ "$funcstack[1]" = "_lodger" ]; then
    _lodger "$@"
else
    compdef _lodger lodger
fi
"#;

const FISH: &str = r#"# fish completion for lodger

function __lodger_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l answer ($words[1] @ASK@ -- $words[2..-1] "$current" 2>/dev/null)
    set -q answer[1]; or return
    set -l before (string match --regex -- '^--[^=]*=' "$current")
    set -l begun (string replace --regex -- '^--[^=]*=' '' "$current")
    switch $answer[-1]
        case ':file'
            string join -- \n "$before"(__fish_complete_path "$begun")
        case ':directory'
            string join -- \n "$before"(__fish_complete_directories "$begun")
    end
    set -e answer[-1]
    printf '%s\n' $answer
end

complete --command lodger --no-files --arguments '(__lodger_complete)'
"#;
