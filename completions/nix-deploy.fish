# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_nix_deploy_global_optspecs
    string join \n mode= fast emergency action= reboot dry-run y/yes non-interactive max-parallel= config= output= q/quiet color= v/verbose h/help V/version
end

function __fish_nix_deploy_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_nix_deploy_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_nix_deploy_using_subcommand
    set -l cmd (__fish_nix_deploy_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l mode -d 'How much to check around the deploy; a bad change is taken back in every mode' -r -f -a "standard\t'every check'
fast\t'without the looks at resources, network and logs afterwards'
emergency\t'only what a safe activation needs; no preview, no question'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l action -d 'What to do with the new system' -r -f -a "switch\t'activate now and at every boot'
boot\t'activate with the next reboot'
test\t'activate now; a reboot returns to the old system'
dry-activate\t'only ask the host what would happen'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l max-parallel -d 'Work on at most this many hosts at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l fast -d 'Like --mode fast'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l emergency -d 'Like --mode emergency'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l reboot -d 'Reboot hosts that need it, and prove them again'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s V -l version -d 'Print version'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "deploy" -d 'Deploy hosts (the default; also for hosts named like a command)'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "doctor" -d 'Check what is needed here and on each host, and say how to mend it'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "issues" -d 'Show known issues of the packages that are installed on hosts'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "init" -d 'Write a hosts.toml for the hosts of a flake'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "completions" -d 'Print a shell\'s completion script'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "man" -d 'Print a manual page'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l mode -d 'How much to check around the deploy; a bad change is taken back in every mode' -r -f -a "standard\t'every check'
fast\t'without the looks at resources, network and logs afterwards'
emergency\t'only what a safe activation needs; no preview, no question'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l action -d 'What to do with the new system' -r -f -a "switch\t'activate now and at every boot'
boot\t'activate with the next reboot'
test\t'activate now; a reboot returns to the old system'
dry-activate\t'only ask the host what would happen'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l max-parallel -d 'Work on at most this many hosts at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l fast -d 'Like --mode fast'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l emergency -d 'Like --mode emergency'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l reboot -d 'Reboot hosts that need it, and prove them again'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand doctor" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand doctor" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand doctor" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand doctor" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -l refresh -d 'Ask the tracker even when it was asked within the last hour'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -l next -d 'Judge what the configuration would bring, and block on what is known to be broken; the new systems must have been built here'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand issues" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -l flake -d 'The flake whose nixosConfigurations become hosts' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -l force -d 'Replace a hosts.toml that is there'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand completions" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand completions" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand completions" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand completions" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand man" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand man" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand man" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand man" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "deploy" -d 'Deploy hosts (the default; also for hosts named like a command)'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "doctor" -d 'Check what is needed here and on each host, and say how to mend it'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "issues" -d 'Show known issues of the packages that are installed on hosts'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "init" -d 'Write a hosts.toml for the hosts of a flake'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "man" -d 'Print a manual page'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy doctor issues init completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
