# Completion of postern(1) for bash. Commands, options and filters are read out
# of `postern help`, so that they are those of the program at hand.

# Prints the commands, without those that are not built yet.
_postern_commands() {
    postern help 2>/dev/null |
        sed -n -e '/^Known/q' -e 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# Prints the options that the help of a command names.
_postern_options() {
    postern help "$1" 2>/dev/null |
        grep -oE '(^|[[:space:]|[])--?[a-z][a-z-]*' | tr -d '[:blank:]|[' |
        sort -u
}

# Prints what stands behind an option in the help of a command: FILE, NAME, or
# nothing.
_postern_value() {
    postern help "$1" 2>/dev/null |
        sed -nE "s/.*[[:space:]|[]$2 ([A-Z]+).*/\\1/p" | head -n 1
}

# Prints the filters of tail, each with its equals sign.
_postern_filters() {
    postern help tail 2>/dev/null |
        grep -oE '(^|[[:space:]])[a-z]+=' | tr -d '[:blank:]' | sort -u
}

# Offers those of the words in $1 that begin as the current one does.
_postern_offer() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_postern_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_postern() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]-}
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        _postern_offer "$(_postern_commands) --version" "$current"
        return
    fi
    if [[ $before == -* ]]; then
        case "$(_postern_value "$command" "$before")" in
        FILE | LOG)
            _postern_files "$current"
            return
            ;;
        ?*) return ;;
        esac
    fi
    if [[ $current == -* ]]; then
        _postern_offer "$(_postern_options "$command")" "$current"
        return
    fi
    case "$command" in
    help) _postern_offer "$(_postern_commands)" "$current" ;;
    check | replay) _postern_files "$current" ;;
    tail)
        # Behind an equals sign the user knows best.
        [[ $current != = && $before != = ]] || return
        _postern_files "$current"
        local files=("${COMPREPLY[@]}")
        _postern_offer "$(_postern_filters)" "$current"
        [ ${#COMPREPLY[@]} = 0 ] || compopt -o nospace 2>/dev/null
        COMPREPLY+=("${files[@]}")
        ;;
    esac
}

complete -F _postern postern
