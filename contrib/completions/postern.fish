# Completion of postern(1) for fish. Commands, options and filters are read out
# of `postern help`, so that they are those of the program at hand.

# The commands with what they do, without those that are not built yet.
function __postern_commands
    postern help 2>/dev/null |
        sed -n -e '/^Known/q' -e 's/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

function __postern_options
    postern help $argv[1] 2>/dev/null |
        grep -oE '(^|[[:space:]|[])--?[a-z][a-z-]*' | tr -d '[:blank:]|[' |
        sort -u
end

# What stands behind an option in the help of a command: FILE, NAME, or nothing.
function __postern_value
    postern help $argv[1] 2>/dev/null |
        sed -nE "s/.*[[:space:]|[]$argv[2] ([A-Z]+).*/\\1/p" | head -n 1
end

function __postern_filters
    postern help tail 2>/dev/null |
        grep -oE '(^|[[:space:]])[a-z]+=' | tr -d '[:blank:]' | sort -u
end

function __postern_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    if test (count $words) = 1
        __postern_commands
        echo --version
        return
    end
    set -l command $words[2]
    if string match -q -- '-*' $words[-1]
        switch (__postern_value $command $words[-1])
            case FILE LOG
                __fish_complete_path $current
                return
            case '?*'
                return
        end
    end
    if string match -q -- '-*' $current
        __postern_options $command
        return
    end
    switch $command
        case help
            __postern_commands
        case check replay
            __fish_complete_path $current
        case tail
            __postern_filters
            __fish_complete_path $current
    end
end

complete -c postern -f -a '(__postern_complete)'
