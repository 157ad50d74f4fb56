#compdef nix-deploy

autoload -U is-at-least

_nix-deploy() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--mode=[How much to check around the deploy; a bad change is taken back in every mode]:MODE:((standard\:"every check"
fast\:"without the looks at resources, network and logs afterwards"
emergency\:"only what a safe activation needs; no preview, no question"))' \
'--action=[What to do with the new system]:ACTION:((switch\:"activate now and at every boot"
boot\:"activate with the next reboot"
test\:"activate now; a reboot returns to the old system"
dry-activate\:"only ask the host what would happen"))' \
'--max-parallel=[Work on at most this many hosts at a time]:COUNT:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--fast[Like --mode fast]' \
'--emergency[Like --mode emergency]' \
'--reboot[Reboot hosts that need it, and prove them again]' \
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::hosts -- A host of hosts.toml, a glob, @tag, or `all`:_default' \
":: :_nix-deploy_commands" \
"*::: :->nix-deploy" \
&& ret=0
    case $state in
    (nix-deploy)
        words=($line[2] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:nix-deploy-command-$line[2]:"
        case $line[2] in
            (deploy)
_arguments "${_arguments_options[@]}" : \
'--mode=[How much to check around the deploy; a bad change is taken back in every mode]:MODE:((standard\:"every check"
fast\:"without the looks at resources, network and logs afterwards"
emergency\:"only what a safe activation needs; no preview, no question"))' \
'--action=[What to do with the new system]:ACTION:((switch\:"activate now and at every boot"
boot\:"activate with the next reboot"
test\:"activate now; a reboot returns to the old system"
dry-activate\:"only ask the host what would happen"))' \
'--max-parallel=[Work on at most this many hosts at a time]:COUNT:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--fast[Like --mode fast]' \
'--emergency[Like --mode emergency]' \
'--reboot[Reboot hosts that need it, and prove them again]' \
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`:_default' \
&& ret=0
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none:_default' \
&& ret=0
;;
(issues)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--refresh[Ask the tracker even when it was asked within the last hour]' \
'--next[Judge what the configuration would bring, and block on what is known to be broken; the new systems must have been built here]' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none:_default' \
&& ret=0
;;
(init)
_arguments "${_arguments_options[@]}" : \
'--flake=[The flake whose nixosConfigurations become hosts]:FLAKE:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--force[Replace a hosts.toml that is there]' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':shell -- The shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::command -- The command to print the page of; without it, that of nix-deploy:_default' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_nix-deploy__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:nix-deploy-help-command-$line[1]:"
        case $line[1] in
            (deploy)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(issues)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(init)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_nix-deploy_commands] )) ||
_nix-deploy_commands() {
    local commands; commands=(
'deploy:Deploy hosts (the default; also for hosts named like a command)' \
'doctor:Check what is needed here and on each host, and say how to mend it' \
'issues:Show known issues of the packages that are installed on hosts' \
'init:Write a hosts.toml for the hosts of a flake' \
'completions:Print a shell'\''s completion script' \
'man:Print a manual page' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'nix-deploy commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__completions_commands] )) ||
_nix-deploy__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy completions commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__deploy_commands] )) ||
_nix-deploy__subcmd__deploy_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy deploy commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__doctor_commands] )) ||
_nix-deploy__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy doctor commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help_commands] )) ||
_nix-deploy__subcmd__help_commands() {
    local commands; commands=(
'deploy:Deploy hosts (the default; also for hosts named like a command)' \
'doctor:Check what is needed here and on each host, and say how to mend it' \
'issues:Show known issues of the packages that are installed on hosts' \
'init:Write a hosts.toml for the hosts of a flake' \
'completions:Print a shell'\''s completion script' \
'man:Print a manual page' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'nix-deploy help commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__completions_commands] )) ||
_nix-deploy__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help completions commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__deploy_commands] )) ||
_nix-deploy__subcmd__help__subcmd__deploy_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help deploy commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__doctor_commands] )) ||
_nix-deploy__subcmd__help__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help doctor commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__help_commands] )) ||
_nix-deploy__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help help commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__init_commands] )) ||
_nix-deploy__subcmd__help__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help init commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__issues_commands] )) ||
_nix-deploy__subcmd__help__subcmd__issues_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help issues commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__man_commands] )) ||
_nix-deploy__subcmd__help__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help man commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__init_commands] )) ||
_nix-deploy__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy init commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__issues_commands] )) ||
_nix-deploy__subcmd__issues_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy issues commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__man_commands] )) ||
_nix-deploy__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy man commands' commands "$@"
}

if [ "$funcstack[1]" = "_nix-deploy" ]; then
    _nix-deploy "$@"
else
    compdef _nix-deploy nix-deploy
fi
