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
fast\:"of the checks syntax alone; without the looks at resources, network and logs afterwards"
emergency\:"only what a safe activation needs; no preview, no question"))' \
'--action=[What to do with the new system]:ACTION:((switch\:"activate now and at every boot"
boot\:"activate with the next reboot"
test\:"activate now; a reboot returns to the old system"
dry-activate\:"only ask the host what would happen"))' \
'*--allow=[Let findings of this rule pass in this run; recorded with your name]:RULE:_default' \
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
fast\:"of the checks syntax alone; without the looks at resources, network and logs afterwards"
emergency\:"only what a safe activation needs; no preview, no question"))' \
'--action=[What to do with the new system]:ACTION:((switch\:"activate now and at every boot"
boot\:"activate with the next reboot"
test\:"activate now; a reboot returns to the old system"
dry-activate\:"only ask the host what would happen"))' \
'*--allow=[Let findings of this rule pass in this run; recorded with your name]:RULE:_default' \
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
(check)
_arguments "${_arguments_options[@]}" : \
'--format=[How to tell what was found]:FORMAT:((human\:"for people, with the line and carets"
plain\:"file\:line\:column and one line for each finding"
json\:"one object per line"
sarif\:"SARIF 2.1.0, for code scanning"
github\:"annotations of GitHub Actions, the worst first"
junit\:"JUnit XML"))' \
'*--allow=[Let findings of this rule pass this time]:RULE:_default' \
'(--fix --diff --staged --watch --write-baseline)--evaluated=[Judge the built system of this host too; builds it when it is not there]:HOST:_default' \
'--nix=[When to ask the installed Nix what it refuses]:WHEN:((auto\:"about files that it has not accepted before; of very many only about those called broken"
always\:"about every file that it has not accepted before"
never\:"not at all\: what is called broken is not confirmed"))' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--fix[Mend what can be mended without a change of meaning]' \
'--diff[Show what --fix would change, and change nothing]' \
'(--fix --diff --staged --watch)--write-baseline[Write every finding into the baseline file\: from then on only new ones count]' \
'(--fix --diff --watch)--staged[Judge what git would commit now, for a pre-commit hook]' \
'(--fix --diff)--watch[Judge again whenever a file changes, until Ctrl-C]' \
'(--fix --diff --staged --watch --write-baseline --evaluated)--list-rules[List every rule and judge nothing]' \
'-q[Show nothing but errors and the result, like --output quiet]' \
'--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::paths -- A file, or a folder with all its Nix files; without one, the flake of hosts.toml, else the current folder:_files' \
&& ret=0
;;
(explain)
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
':rule -- The rule'\''s id, as findings name it in brackets:_default' \
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
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(explain)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(doctor)
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
'check:Judge the configuration\: syntax, anti-patterns, security' \
'explain:Explain a rule of \`check\`\: what, why, bad and good code' \
'doctor:Check what is needed here and on each host, and say how to mend it' \
'init:Write a hosts.toml for the hosts of a flake' \
'completions:Print a shell'\''s completion script' \
'man:Print a manual page' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'nix-deploy commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__check_commands] )) ||
_nix-deploy__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy check commands' commands "$@"
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
(( $+functions[_nix-deploy__subcmd__explain_commands] )) ||
_nix-deploy__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy explain commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help_commands] )) ||
_nix-deploy__subcmd__help_commands() {
    local commands; commands=(
'deploy:Deploy hosts (the default; also for hosts named like a command)' \
'check:Judge the configuration\: syntax, anti-patterns, security' \
'explain:Explain a rule of \`check\`\: what, why, bad and good code' \
'doctor:Check what is needed here and on each host, and say how to mend it' \
'init:Write a hosts.toml for the hosts of a flake' \
'completions:Print a shell'\''s completion script' \
'man:Print a manual page' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'nix-deploy help commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__check_commands] )) ||
_nix-deploy__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help check commands' commands "$@"
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
(( $+functions[_nix-deploy__subcmd__help__subcmd__explain_commands] )) ||
_nix-deploy__subcmd__help__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help explain commands' commands "$@"
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
