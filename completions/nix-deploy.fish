# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_nix_deploy_global_optspecs
    string join \n mode= fast emergency action= update= dry-run y/yes non-interactive allow= report= issue= commit= message= pr wait-for-host= strategy= canary= wave-size= soak= max-failures= rollback-fleet max-parallel= limit= skip= reboot= reboot-parallel= preview no-build input= new-packages= config= output= q/quiet color= v/verbose h/help V/version
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
fast\t'of the checks syntax alone; without the looks at resources, network and logs afterwards'
emergency\t'only what a safe activation needs; no preview, no question'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l action -d 'What to do with the new system' -r -f -a "switch\t'activate now and at every boot'
boot\t'activate with the next reboot'
test\t'activate now; a reboot returns to the old system'
dry-activate\t'only ask the host what would happen'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l update -d 'Bring all flake inputs, or these, to their newest first; asks nothing' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l allow -d 'Let findings of this rule pass in this run; recorded with your name' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l report -d 'Write a report of the run to this file at its end: .md, .html or .json; may be repeated' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l issue -d 'The issue of the configuration\'s repository that this is for: in run, report and record' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l commit -d 'Commit what is staged, and these files; flake.lock of an update' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l message -d 'What the commit says; `feat(area): ` and the issue are added' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l wait-for-host -d 'Wait for hosts that do not answer, an hour or so long, and deploy them when they do' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l strategy -d 'In which order hosts are deployed; dependencies always come first' -r -f -a "parallel\t'all at once; a host that depends on others after them'
rolling\t'one after the other, or in waves of --wave-size'
canary\t'a few first (--canary), then the others'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l canary -d 'Deploy these first, then the others: hosts, a number or a share; means --strategy canary' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l wave-size -d 'Deploy in waves of at most so many hosts, or of a share of them' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l soak -d 'Watch the hosts of a wave for so long before the next one begins, e.g. 10m' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l max-failures -d 'Start no other host once so many, or a share of them, have failed' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l max-parallel -d 'Work on at most this many hosts at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l limit -d 'Deploy only these of the hosts: names, globs, @tags' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l skip -d 'Leave these hosts out: names, globs, @tags' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l reboot -d 'Reboot hosts and prove them again; without a value those that need it' -r -f -a "never\t'no host'
if-needed\t'those that need it to run the new system wholly'
always\t'every host that is changed'"
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l reboot-parallel -d 'Reboot so many hosts at a time; 1 unless told' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l input -d 'Update this input only; may be repeated' -r
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l new-packages -d 'Name attributes of the package set that are new, those of a glob: `firefox*`, `python3Packages.*`' -r
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
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l pr -d 'Push the branch and open a pull request when the deploy has gone well'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l rollback-fleet -d 'Take back the hosts that were deployed when the run fails'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l preview -d 'Show what an update of the flake\'s inputs would change, and change nothing'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -l no-build -d 'Estimate from derivations instead of building the new systems'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -s V -l version -d 'Print version'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "deploy" -d 'Deploy hosts (the default; also for hosts named like a command)'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "update" -d 'Update flake inputs with open eyes, and deploy what comes of it'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "rollback" -d 'Take hosts back to a system they had, proven like a deploy'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "resume" -d 'Take up a run that was interrupted: hosts that were done are not touched'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "status" -d 'Ask hosts how they stand right now, and why one is not well'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "history" -d 'Show what hosts ran when: generations and the record of deploys'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "diff" -d 'Compare two systems of a host: packages, units, kernel, size'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "check" -d 'Judge the configuration: syntax, anti-patterns, security'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "explain" -d 'Explain a rule of `check`: what, why, bad and good code'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "doctor" -d 'Check what is needed here and on each host, and say how to mend it'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "fleet" -d 'Ask the fleet database what runs where, since when and why'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "issues" -d 'Show known issues of the packages that are installed on hosts'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "init" -d 'Write a hosts.toml for the hosts of a flake'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "completions" -d 'Print a shell\'s completion script'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "man" -d 'Print a manual page'
complete -c nix-deploy -n "__fish_nix_deploy_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l mode -d 'How much to check around the deploy; a bad change is taken back in every mode' -r -f -a "standard\t'every check'
fast\t'of the checks syntax alone; without the looks at resources, network and logs afterwards'
emergency\t'only what a safe activation needs; no preview, no question'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l action -d 'What to do with the new system' -r -f -a "switch\t'activate now and at every boot'
boot\t'activate with the next reboot'
test\t'activate now; a reboot returns to the old system'
dry-activate\t'only ask the host what would happen'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l update -d 'Bring all flake inputs, or these, to their newest first; asks nothing' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l allow -d 'Let findings of this rule pass in this run; recorded with your name' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l report -d 'Write a report of the run to this file at its end: .md, .html or .json; may be repeated' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l issue -d 'The issue of the configuration\'s repository that this is for: in run, report and record' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l commit -d 'Commit what is staged, and these files; flake.lock of an update' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l message -d 'What the commit says; `feat(area): ` and the issue are added' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l wait-for-host -d 'Wait for hosts that do not answer, an hour or so long, and deploy them when they do' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l strategy -d 'In which order hosts are deployed; dependencies always come first' -r -f -a "parallel\t'all at once; a host that depends on others after them'
rolling\t'one after the other, or in waves of --wave-size'
canary\t'a few first (--canary), then the others'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l canary -d 'Deploy these first, then the others: hosts, a number or a share; means --strategy canary' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l wave-size -d 'Deploy in waves of at most so many hosts, or of a share of them' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l soak -d 'Watch the hosts of a wave for so long before the next one begins, e.g. 10m' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l max-failures -d 'Start no other host once so many, or a share of them, have failed' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l max-parallel -d 'Work on at most this many hosts at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l limit -d 'Deploy only these of the hosts: names, globs, @tags' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l skip -d 'Leave these hosts out: names, globs, @tags' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l reboot -d 'Reboot hosts and prove them again; without a value those that need it' -r -f -a "never\t'no host'
if-needed\t'those that need it to run the new system wholly'
always\t'every host that is changed'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l reboot-parallel -d 'Reboot so many hosts at a time; 1 unless told' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l input -d 'Update this input only; may be repeated' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l new-packages -d 'Name attributes of the package set that are new, those of a glob: `firefox*`, `python3Packages.*`' -r
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
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l pr -d 'Push the branch and open a pull request when the deploy has gone well'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l rollback-fleet -d 'Take back the hosts that were deployed when the run fails'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l preview -d 'Show what an update of the flake\'s inputs would change, and change nothing'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -l no-build -d 'Estimate from derivations instead of building the new systems'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l accept-risk -d 'Apply updates up to this risk without asking' -r -f -a "medium\t''
high\t''"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l mode -d 'How much to check around the deploy; a bad change is taken back in every mode' -r -f -a "standard\t'every check'
fast\t'of the checks syntax alone; without the looks at resources, network and logs afterwards'
emergency\t'only what a safe activation needs; no preview, no question'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l action -d 'What to do with the new system' -r -f -a "switch\t'activate now and at every boot'
boot\t'activate with the next reboot'
test\t'activate now; a reboot returns to the old system'
dry-activate\t'only ask the host what would happen'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l update -d 'Bring all flake inputs, or these, to their newest first; asks nothing' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l allow -d 'Let findings of this rule pass in this run; recorded with your name' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l report -d 'Write a report of the run to this file at its end: .md, .html or .json; may be repeated' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l issue -d 'The issue of the configuration\'s repository that this is for: in run, report and record' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l commit -d 'Commit what is staged, and these files; flake.lock of an update' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l message -d 'What the commit says; `feat(area): ` and the issue are added' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l wait-for-host -d 'Wait for hosts that do not answer, an hour or so long, and deploy them when they do' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l strategy -d 'In which order hosts are deployed; dependencies always come first' -r -f -a "parallel\t'all at once; a host that depends on others after them'
rolling\t'one after the other, or in waves of --wave-size'
canary\t'a few first (--canary), then the others'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l canary -d 'Deploy these first, then the others: hosts, a number or a share; means --strategy canary' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l wave-size -d 'Deploy in waves of at most so many hosts, or of a share of them' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l soak -d 'Watch the hosts of a wave for so long before the next one begins, e.g. 10m' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l max-failures -d 'Start no other host once so many, or a share of them, have failed' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l max-parallel -d 'Work on at most this many hosts at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l limit -d 'Deploy only these of the hosts: names, globs, @tags' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l skip -d 'Leave these hosts out: names, globs, @tags' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l reboot -d 'Reboot hosts and prove them again; without a value those that need it' -r -f -a "never\t'no host'
if-needed\t'those that need it to run the new system wholly'
always\t'every host that is changed'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l reboot-parallel -d 'Reboot so many hosts at a time; 1 unless told' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l input -d 'Update this input only; may be repeated' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l new-packages -d 'Name attributes of the package set that are new, those of a glob: `firefox*`, `python3Packages.*`' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l smart -d 'Decide by risk: go on where nothing was found, ask where something was, stop where it is critical'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l undo -d 'Put back the flake.lock from before the last update, and deploy it'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l local -d 'The machine this runs on, as hosts.toml describes it'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l fast -d 'Like --mode fast'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l emergency -d 'Like --mode emergency'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l pr -d 'Push the branch and open a pull request when the deploy has gone well'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l rollback-fleet -d 'Take back the hosts that were deployed when the run fails'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l preview -d 'Show what an update of the flake\'s inputs would change, and change nothing'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -l no-build -d 'Estimate from derivations instead of building the new systems'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand update" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l to -d 'A generation of the host, a run (what it deployed), or a system\'s store path; otherwise the one before' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l action -d 'What to do with the old system' -r -f -a "switch\t'activate now and at every boot'
boot\t'activate with the next reboot'
test\t'activate now; a reboot returns to the old system'
dry-activate\t'only ask the host what would happen'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l reboot -d 'Reboot hosts and prove them again; without a value those that need it' -r -f -a "never\t'no host'
if-needed\t'those that need it to run the new system wholly'
always\t'every host that is changed'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l report -d 'Write a report of the run to this file at its end: .md, .html or .json; may be repeated' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l max-parallel -d 'Work on at most this many hosts at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l report -d 'Write a report of the run to this file at its end: .md, .html or .json; may be repeated' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l wait-for-host -d 'Wait for hosts that do not answer, an hour or so long, and deploy them when they do' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l dry-run -d 'Print the plan and touch no host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -s y -l yes -d 'Answer every question with yes'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l non-interactive -d 'Never ask; automatic without a terminal, or with CI=true'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -l pr -d 'Push the branch and open a pull request when the deploy has gone well'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -l json -d 'Print JSON, an object per host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -l limit -d 'Show at most so many entries per host, the newest' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -l json -d 'Print JSON, an object per entry'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l format -d 'How to tell what was found' -r -f -a "human\t'for people, with the line and carets'
plain\t'file:line:column and one line for each finding'
json\t'one object per line'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'annotations of GitHub Actions, the worst first'
junit\t'JUnit XML'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l allow -d 'Let findings of this rule pass this time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l evaluated -d 'Judge the built system of this host too; builds it when it is not there' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l nix -d 'When to ask the installed Nix what it refuses' -r -f -a "auto\t'about files that it has not accepted before; of very many only about those called broken'
always\t'about every file that it has not accepted before'
never\t'not at all: what is called broken is not confirmed'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l fix -d 'Mend what can be mended without a change of meaning'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l diff -d 'Show what --fix would change, and change nothing'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l write-baseline -d 'Write every finding into the baseline file: from then on only new ones count'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l staged -d 'Judge what git would commit now, for a pre-commit hook'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l watch -d 'Judge again whenever a file changes, until Ctrl-C'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -l list-rules -d 'List every rule and judge nothing'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand explain" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand explain" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand explain" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand explain" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand explain" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
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
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "status" -d 'How each host stands to its flake, problem first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "systems" -d 'Registered systems, and whether the newest commit is evaluated for them'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "timeline" -d 'Commits of the last 30 days: evaluated, deployed where, running where'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "commits" -d 'Commits with the state of each host\'s configuration'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "builds" -d 'Commits with every derivation'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "queue" -d 'What waits to be built'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "heartbeat" -d 'When hosts were last heard of, worst first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "drift" -d 'Hosts that run what no recorded commit gives, or were changed by somebody else'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "stale" -d 'Hosts that were not heard of for a while'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "missing" -d 'Hosts whose configuration evaluates and that were never seen'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "history" -d 'Deploys, newest first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "show" -d 'One run again, from the record'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "stats" -d 'Deploys per day, success rate, median duration, rollbacks'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "register" -d 'Make hosts known as systems of this flake'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "retire" -d 'Leave hosts out of the questions; their history stays'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "sync" -d 'Read the commits of the configuration\'s history'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "poll" -d 'Ask hosts what they run'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "evaluate" -d 'Evaluate hosts at the newest commits'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "build" -d 'Build what is in the queue'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "migrate" -d 'Bring the tables of a PostgreSQL database up to date'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "flush" -d 'Record what earlier runs could not'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "prune" -d 'Thin old reports; deploys are never forgotten'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "export" -d 'Write the whole database as JSON lines'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "import" -d 'Read an export into an empty database'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "grafana" -d 'Write a dashboard for Grafana, on a PostgreSQL database'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and not __fish_seen_subcommand_from status systems timeline commits builds queue heartbeat drift stale missing history show stats register retire sync poll evaluate build migrate flush prune export import grafana help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from systems" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from timeline" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from commits" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from builds" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l next -d 'Only the system whose turn it is; builders take its packages first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -l newest -d 'Only what belongs to the newest commit in the queue'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from queue" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from heartbeat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from drift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l older-than -d 'How long is a while' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stale" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from missing" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -l limit -d 'Show at most this many rows' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -l since -d 'Only what is newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -l environment -d 'What they are for' -r -f -a "dev\t''
test\t''
preprod\t''
prod\t''"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from register" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -l json -d 'Print JSON, an object per line'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from retire" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -l limit -d 'Read at most this many of the newest commits' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -l since -d 'Read only commits that are newer: an age like 24h or 7d, or a date' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -l at-once -d 'How many hosts are asked at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -l json -d 'Print JSON, an object per host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from poll" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -l commits -d 'Look at this many of the newest commits; what is evaluated of them stays' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -l json -d 'Print JSON, an object per commit and host'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from evaluate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l workers -d 'Build this many derivations at a time' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l cache -d 'Copy what was built to this binary cache, as for `nix copy --to`' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l poll -d 'How often to look for work while there is none' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l retry-after -d 'How long after a failure to try again; five times at most' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l once -d 'End when nothing is left that could be built now'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l retry-failed -d 'Begin anew with what failed in the newest commit that was evaluated'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -l json -d 'Print JSON, an object per derivation'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -l all -d 'Also look through runs that were wholly recorded, for a database that lost some'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -l keep -d 'Keep every report that is younger; of older ones, one per host and day and every change' -r
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -l journals -d 'Also remove journals and logs that are older, of runs that are wholly recorded'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from export" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from export" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from export" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -l json -d 'Print JSON, one object'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from grafana" -l config -d 'Read this file instead of the nearest hosts.toml [env: NIX_DEPLOY_CONFIG]' -r -F
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from grafana" -l output -d 'How to show what happens' -r -f -a "auto\t'live on a terminal, else plain'
plain\t'a line for each thing that happens'
json\t'one event per line on standard output'
quiet\t'only errors and the result'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from grafana" -l color -d 'When to use colour' -r -f -a "auto\t'on a terminal, unless NO_COLOR is set'
always\t'always'
never\t'never'"
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from grafana" -s q -l quiet -d 'Show nothing but errors and the result, like --output quiet'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from grafana" -s v -l verbose -d 'Trace what the program does; twice for more'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from grafana" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "status" -d 'How each host stands to its flake, problem first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "systems" -d 'Registered systems, and whether the newest commit is evaluated for them'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "timeline" -d 'Commits of the last 30 days: evaluated, deployed where, running where'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "commits" -d 'Commits with the state of each host\'s configuration'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "builds" -d 'Commits with every derivation'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "queue" -d 'What waits to be built'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "heartbeat" -d 'When hosts were last heard of, worst first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "drift" -d 'Hosts that run what no recorded commit gives, or were changed by somebody else'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "stale" -d 'Hosts that were not heard of for a while'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "missing" -d 'Hosts whose configuration evaluates and that were never seen'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "history" -d 'Deploys, newest first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "show" -d 'One run again, from the record'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "stats" -d 'Deploys per day, success rate, median duration, rollbacks'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "register" -d 'Make hosts known as systems of this flake'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "retire" -d 'Leave hosts out of the questions; their history stays'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "sync" -d 'Read the commits of the configuration\'s history'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "poll" -d 'Ask hosts what they run'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "evaluate" -d 'Evaluate hosts at the newest commits'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "build" -d 'Build what is in the queue'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "migrate" -d 'Bring the tables of a PostgreSQL database up to date'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "flush" -d 'Record what earlier runs could not'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Thin old reports; deploys are never forgotten'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "export" -d 'Write the whole database as JSON lines'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "import" -d 'Read an export into an empty database'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "grafana" -d 'Write a dashboard for Grafana, on a PostgreSQL database'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
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
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "deploy" -d 'Deploy hosts (the default; also for hosts named like a command)'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "update" -d 'Update flake inputs with open eyes, and deploy what comes of it'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "rollback" -d 'Take hosts back to a system they had, proven like a deploy'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "resume" -d 'Take up a run that was interrupted: hosts that were done are not touched'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "status" -d 'Ask hosts how they stand right now, and why one is not well'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "history" -d 'Show what hosts ran when: generations and the record of deploys'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "diff" -d 'Compare two systems of a host: packages, units, kernel, size'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "check" -d 'Judge the configuration: syntax, anti-patterns, security'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "explain" -d 'Explain a rule of `check`: what, why, bad and good code'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "doctor" -d 'Check what is needed here and on each host, and say how to mend it'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "fleet" -d 'Ask the fleet database what runs where, since when and why'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "issues" -d 'Show known issues of the packages that are installed on hosts'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "init" -d 'Write a hosts.toml for the hosts of a flake'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "man" -d 'Print a manual page'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and not __fish_seen_subcommand_from deploy update rollback resume status history diff check explain doctor fleet issues init completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "status" -d 'How each host stands to its flake, problem first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "systems" -d 'Registered systems, and whether the newest commit is evaluated for them'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "timeline" -d 'Commits of the last 30 days: evaluated, deployed where, running where'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "commits" -d 'Commits with the state of each host\'s configuration'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "builds" -d 'Commits with every derivation'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "queue" -d 'What waits to be built'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "heartbeat" -d 'When hosts were last heard of, worst first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "drift" -d 'Hosts that run what no recorded commit gives, or were changed by somebody else'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "stale" -d 'Hosts that were not heard of for a while'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "missing" -d 'Hosts whose configuration evaluates and that were never seen'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "history" -d 'Deploys, newest first'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "show" -d 'One run again, from the record'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "stats" -d 'Deploys per day, success rate, median duration, rollbacks'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "register" -d 'Make hosts known as systems of this flake'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "retire" -d 'Leave hosts out of the questions; their history stays'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "sync" -d 'Read the commits of the configuration\'s history'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "poll" -d 'Ask hosts what they run'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "evaluate" -d 'Evaluate hosts at the newest commits'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "build" -d 'Build what is in the queue'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "migrate" -d 'Bring the tables of a PostgreSQL database up to date'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "flush" -d 'Record what earlier runs could not'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "prune" -d 'Thin old reports; deploys are never forgotten'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "export" -d 'Write the whole database as JSON lines'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "import" -d 'Read an export into an empty database'
complete -c nix-deploy -n "__fish_nix_deploy_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "grafana" -d 'Write a dashboard for Grafana, on a PostgreSQL database'
