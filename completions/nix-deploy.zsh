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
'(--preview)*--update=[Bring all flake inputs, or these, to their newest first; asks nothing]::INPUT:_default' \
'*--allow=[Let findings of this rule pass in this run; recorded with your name]:RULE:_default' \
'*--report=[Write a report of the run to this file at its end\: .md, .html or .json; may be repeated]:FILE:_files' \
'--issue=[The issue of the configuration'\''s repository that this is for\: in run, report and record]:NUMBER:_default' \
'*--commit=[Commit what is staged, and these files; flake.lock of an update]::FILE:_files' \
'--message=[What the commit says; \`feat(area)\: \` and the issue are added]:TEXT:_default' \
'--wait-for-host=[Wait for hosts that do not answer, an hour or so long, and deploy them when they do]::DURATION:_default' \
'--strategy=[In which order hosts are deployed; dependencies always come first]:STRATEGY:((parallel\:"all at once; a host that depends on others after them"
rolling\:"one after the other, or in waves of --wave-size"
canary\:"a few first (--canary), then the others"))' \
'--canary=[Deploy these first, then the others\: hosts, a number or a share; means --strategy canary]:HOSTS|N|N%:_default' \
'--wave-size=[Deploy in waves of at most so many hosts, or of a share of them]:N|N%:_default' \
'--soak=[Watch the hosts of a wave for so long before the next one begins, e.g. 10m]:TIME:_default' \
'--max-failures=[Start no other host once so many, or a share of them, have failed]:N|N%:_default' \
'--max-parallel=[Work on at most this many hosts at a time]:COUNT:_default' \
'*--limit=[Deploy only these of the hosts\: names, globs, @tags]:HOSTS:_default' \
'*--skip=[Leave these hosts out\: names, globs, @tags]:HOSTS:_default' \
'--reboot=[Reboot hosts and prove them again; without a value those that need it]::WHEN:((never\:"no host"
if-needed\:"those that need it to run the new system wholly"
always\:"every host that is changed"))' \
'--reboot-parallel=[Reboot so many hosts at a time; 1 unless told]:COUNT:_default' \
'*--input=[Update this input only; may be repeated]:INPUT:_default' \
'--new-packages=[Name attributes of the package set that are new, those of a glob\: \`firefox*\`, \`python3Packages.*\`]::PATTERN:_default' \
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
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'--pr[Push the branch and open a pull request when the deploy has gone well]' \
'--rollback-fleet[Take back the hosts that were deployed when the run fails]' \
'(--dry-run --reboot --mode --fast --emergency)--preview[Show what an update of the flake'\''s inputs would change, and change nothing]' \
'--no-build[Estimate from derivations instead of building the new systems]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
'(--preview)*--update=[Bring all flake inputs, or these, to their newest first; asks nothing]::INPUT:_default' \
'*--allow=[Let findings of this rule pass in this run; recorded with your name]:RULE:_default' \
'*--report=[Write a report of the run to this file at its end\: .md, .html or .json; may be repeated]:FILE:_files' \
'--issue=[The issue of the configuration'\''s repository that this is for\: in run, report and record]:NUMBER:_default' \
'*--commit=[Commit what is staged, and these files; flake.lock of an update]::FILE:_files' \
'--message=[What the commit says; \`feat(area)\: \` and the issue are added]:TEXT:_default' \
'--wait-for-host=[Wait for hosts that do not answer, an hour or so long, and deploy them when they do]::DURATION:_default' \
'--strategy=[In which order hosts are deployed; dependencies always come first]:STRATEGY:((parallel\:"all at once; a host that depends on others after them"
rolling\:"one after the other, or in waves of --wave-size"
canary\:"a few first (--canary), then the others"))' \
'--canary=[Deploy these first, then the others\: hosts, a number or a share; means --strategy canary]:HOSTS|N|N%:_default' \
'--wave-size=[Deploy in waves of at most so many hosts, or of a share of them]:N|N%:_default' \
'--soak=[Watch the hosts of a wave for so long before the next one begins, e.g. 10m]:TIME:_default' \
'--max-failures=[Start no other host once so many, or a share of them, have failed]:N|N%:_default' \
'--max-parallel=[Work on at most this many hosts at a time]:COUNT:_default' \
'*--limit=[Deploy only these of the hosts\: names, globs, @tags]:HOSTS:_default' \
'*--skip=[Leave these hosts out\: names, globs, @tags]:HOSTS:_default' \
'--reboot=[Reboot hosts and prove them again; without a value those that need it]::WHEN:((never\:"no host"
if-needed\:"those that need it to run the new system wholly"
always\:"every host that is changed"))' \
'--reboot-parallel=[Reboot so many hosts at a time; 1 unless told]:COUNT:_default' \
'*--input=[Update this input only; may be repeated]:INPUT:_default' \
'--new-packages=[Name attributes of the package set that are new, those of a glob\: \`firefox*\`, \`python3Packages.*\`]::PATTERN:_default' \
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
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'--pr[Push the branch and open a pull request when the deploy has gone well]' \
'--rollback-fleet[Take back the hosts that were deployed when the run fails]' \
'(--dry-run --reboot --mode --fast --emergency)--preview[Show what an update of the flake'\''s inputs would change, and change nothing]' \
'--no-build[Estimate from derivations instead of building the new systems]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`:_default' \
&& ret=0
;;
(update)
_arguments "${_arguments_options[@]}" : \
'--accept-risk=[Apply updates up to this risk without asking]:RISK:(medium high)' \
'--mode=[How much to check around the deploy; a bad change is taken back in every mode]:MODE:((standard\:"every check"
fast\:"of the checks syntax alone; without the looks at resources, network and logs afterwards"
emergency\:"only what a safe activation needs; no preview, no question"))' \
'--action=[What to do with the new system]:ACTION:((switch\:"activate now and at every boot"
boot\:"activate with the next reboot"
test\:"activate now; a reboot returns to the old system"
dry-activate\:"only ask the host what would happen"))' \
'(--preview)*--update=[Bring all flake inputs, or these, to their newest first; asks nothing]::INPUT:_default' \
'*--allow=[Let findings of this rule pass in this run; recorded with your name]:RULE:_default' \
'*--report=[Write a report of the run to this file at its end\: .md, .html or .json; may be repeated]:FILE:_files' \
'--issue=[The issue of the configuration'\''s repository that this is for\: in run, report and record]:NUMBER:_default' \
'*--commit=[Commit what is staged, and these files; flake.lock of an update]::FILE:_files' \
'--message=[What the commit says; \`feat(area)\: \` and the issue are added]:TEXT:_default' \
'--wait-for-host=[Wait for hosts that do not answer, an hour or so long, and deploy them when they do]::DURATION:_default' \
'--strategy=[In which order hosts are deployed; dependencies always come first]:STRATEGY:((parallel\:"all at once; a host that depends on others after them"
rolling\:"one after the other, or in waves of --wave-size"
canary\:"a few first (--canary), then the others"))' \
'--canary=[Deploy these first, then the others\: hosts, a number or a share; means --strategy canary]:HOSTS|N|N%:_default' \
'--wave-size=[Deploy in waves of at most so many hosts, or of a share of them]:N|N%:_default' \
'--soak=[Watch the hosts of a wave for so long before the next one begins, e.g. 10m]:TIME:_default' \
'--max-failures=[Start no other host once so many, or a share of them, have failed]:N|N%:_default' \
'--max-parallel=[Work on at most this many hosts at a time]:COUNT:_default' \
'*--limit=[Deploy only these of the hosts\: names, globs, @tags]:HOSTS:_default' \
'*--skip=[Leave these hosts out\: names, globs, @tags]:HOSTS:_default' \
'--reboot=[Reboot hosts and prove them again; without a value those that need it]::WHEN:((never\:"no host"
if-needed\:"those that need it to run the new system wholly"
always\:"every host that is changed"))' \
'--reboot-parallel=[Reboot so many hosts at a time; 1 unless told]:COUNT:_default' \
'*--input=[Update this input only; may be repeated]:INPUT:_default' \
'--new-packages=[Name attributes of the package set that are new, those of a glob\: \`firefox*\`, \`python3Packages.*\`]::PATTERN:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--smart[Decide by risk\: go on where nothing was found, ask where something was, stop where it is critical]' \
'--undo[Put back the flake.lock from before the last update, and deploy it]' \
'()--local[The machine this runs on, as hosts.toml describes it]' \
'--fast[Like --mode fast]' \
'--emergency[Like --mode emergency]' \
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'--pr[Push the branch and open a pull request when the deploy has gone well]' \
'--rollback-fleet[Take back the hosts that were deployed when the run fails]' \
'(--dry-run --reboot --mode --fast --emergency)--preview[Show what an update of the flake'\''s inputs would change, and change nothing]' \
'--no-build[Estimate from derivations instead of building the new systems]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`:_default' \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
'--to=[A generation of the host, a run (what it deployed), or a system'\''s store path; otherwise the one before]:GENERATION|RUN:_default' \
'--action=[What to do with the old system]:ACTION:((switch\:"activate now and at every boot"
boot\:"activate with the next reboot"
test\:"activate now; a reboot returns to the old system"
dry-activate\:"only ask the host what would happen"))' \
'--reboot=[Reboot hosts and prove them again; without a value those that need it]::WHEN:((never\:"no host"
if-needed\:"those that need it to run the new system wholly"
always\:"every host that is changed"))' \
'*--report=[Write a report of the run to this file at its end\: .md, .html or .json; may be repeated]:FILE:_files' \
'--max-parallel=[Work on at most this many hosts at a time]:COUNT:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`:_default' \
&& ret=0
;;
(resume)
_arguments "${_arguments_options[@]}" : \
'*--report=[Write a report of the run to this file at its end\: .md, .html or .json; may be repeated]:FILE:_files' \
'--wait-for-host=[Wait for hosts that do not answer, an hour or so long, and deploy them when they do]::DURATION:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--dry-run[Print the plan and touch no host]' \
'-y[Answer every question with yes]' \
'--yes[Answer every question with yes]' \
'--non-interactive[Never ask; automatic without a terminal, or with CI=true]' \
'--pr[Push the branch and open a pull request when the deploy has gone well]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::run -- The run; the last one when there is none, if it was interrupted:_default' \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per host]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none:_default' \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most so many entries per host, the newest]:COUNT:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per entry]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`:_default' \
&& ret=0
;;
(diff)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':host -- A host of hosts.toml:_default' \
'::from -- The first system\: a generation, current, booted, boots, new, a run, or a store path:_default' \
'::to -- The second system, in the same words; what the configuration describes unless A is given alone:_default' \
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; all hosts when there is none:_default' \
&& ret=0
;;
(fleet)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
":: :_nix-deploy__subcmd__fleet_commands" \
"*::: :->fleet" \
&& ret=0

    case $state in
    (fleet)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:nix-deploy-fleet-command-$line[1]:"
        case $line[1] in
            (status)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(systems)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(timeline)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(commits)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(builds)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(queue)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'--next[Only the system whose turn it is; builders take its packages first]' \
'--newest[Only what belongs to the newest commit in the queue]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(heartbeat)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(drift)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(stale)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--older-than=[How long is a while]:AGE:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(missing)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':run -- The run'\''s id, or the beginning of it:_default' \
&& ret=0
;;
(stats)
_arguments "${_arguments_options[@]}" : \
'--limit=[Show at most this many rows]:COUNT:_default' \
'--since=[Only what is newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; without one everything that is recorded:_default' \
&& ret=0
;;
(register)
_arguments "${_arguments_options[@]}" : \
'--environment=[What they are for]:NAME:(dev test preprod prod)' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; or a name that is recorded:_default' \
&& ret=0
;;
(retire)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per line]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; or a name that is recorded:_default' \
&& ret=0
;;
(sync)
_arguments "${_arguments_options[@]}" : \
'--limit=[Read at most this many of the newest commits]:COUNT:_default' \
'--since=[Read only commits that are newer\: an age like 24h or 7d, or a date]:TIME:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(poll)
_arguments "${_arguments_options[@]}" : \
'--at-once=[How many hosts are asked at a time]:COUNT:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per host]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; all without one:_default' \
&& ret=0
;;
(evaluate)
_arguments "${_arguments_options[@]}" : \
'--commits=[Look at this many of the newest commits; what is evaluated of them stays]:COUNT:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, an object per commit and host]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::hosts -- A host of hosts.toml, a glob, @tag, or `all`; all without one:_default' \
&& ret=0
;;
(build)
_arguments "${_arguments_options[@]}" : \
'--workers=[Build this many derivations at a time]:COUNT:_default' \
'--cache=[Copy what was built to this binary cache, as for \`nix copy --to\`]:URL:_default' \
'--poll=[How often to look for work while there is none]:AGE:_default' \
'--retry-after=[How long after a failure to try again; five times at most]:AGE:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--once[End when nothing is left that could be built now]' \
'--retry-failed[Begin anew with what failed in the newest commit that was evaluated]' \
'--json[Print JSON, an object per derivation]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(migrate)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(flush)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--all[Also look through runs that were wholly recorded, for a database that lost some]' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
'--keep=[Keep every report that is younger; of older ones, one per host and day and every change]:AGE:_default' \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--journals[Also remove journals and logs that are older, of runs that are wholly recorded]' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::file -- The file to write; standard output without one:_files' \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'--json[Print JSON, one object]' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::file -- The file to read; standard input without one:_files' \
&& ret=0
;;
(grafana)
_arguments "${_arguments_options[@]}" : \
'--config=[Read this file instead of the nearest hosts.toml \[env\: NIX_DEPLOY_CONFIG\]]:FILE:_files' \
'--output=[How to show what happens]:KIND:((auto\:"live on a terminal, else plain"
plain\:"a line for each thing that happens"
json\:"one event per line on standard output"
quiet\:"only errors and the result"))' \
'--color=[When to use colour]:WHEN:((auto\:"on a terminal, unless NO_COLOR is set"
always\:"always"
never\:"never"))' \
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
'*-v[Trace what the program does; twice for more]' \
'*--verbose[Trace what the program does; twice for more]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::file -- The file to write; standard output without one:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_nix-deploy__subcmd__fleet__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:nix-deploy-fleet-help-command-$line[1]:"
        case $line[1] in
            (status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(systems)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(timeline)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(commits)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(builds)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(queue)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(heartbeat)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(drift)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stale)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(missing)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stats)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(register)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(retire)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(sync)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(poll)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(evaluate)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(build)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(migrate)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(flush)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(grafana)
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
'(--output)-q[Show nothing but errors and the result, like --output quiet]' \
'(--output)--quiet[Show nothing but errors and the result, like --output quiet]' \
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
(update)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(resume)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(diff)
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
(fleet)
_arguments "${_arguments_options[@]}" : \
":: :_nix-deploy__subcmd__help__subcmd__fleet_commands" \
"*::: :->fleet" \
&& ret=0

    case $state in
    (fleet)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:nix-deploy-help-fleet-command-$line[1]:"
        case $line[1] in
            (status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(systems)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(timeline)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(commits)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(builds)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(queue)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(heartbeat)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(drift)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stale)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(missing)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stats)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(register)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(retire)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(sync)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(poll)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(evaluate)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(build)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(migrate)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(flush)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(grafana)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
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
'update:Update flake inputs with open eyes, and deploy what comes of it' \
'rollback:Take hosts back to a system they had, proven like a deploy' \
'resume:Take up a run that was interrupted\: hosts that were done are not touched' \
'status:Ask hosts how they stand right now, and why one is not well' \
'history:Show what hosts ran when\: generations and the record of deploys' \
'diff:Compare two systems of a host\: packages, units, kernel, size' \
'check:Judge the configuration\: syntax, anti-patterns, security' \
'explain:Explain a rule of \`check\`\: what, why, bad and good code' \
'doctor:Check what is needed here and on each host, and say how to mend it' \
'fleet:Ask the fleet database what runs where, since when and why' \
'issues:Show known issues of the packages that are installed on hosts' \
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
(( $+functions[_nix-deploy__subcmd__diff_commands] )) ||
_nix-deploy__subcmd__diff_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy diff commands' commands "$@"
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
(( $+functions[_nix-deploy__subcmd__fleet_commands] )) ||
_nix-deploy__subcmd__fleet_commands() {
    local commands; commands=(
'status:How each host stands to its flake, problem first' \
'systems:Registered systems, and whether the newest commit is evaluated for them' \
'timeline:Commits of the last 30 days\: evaluated, deployed where, running where' \
'commits:Commits with the state of each host'\''s configuration' \
'builds:Commits with every derivation' \
'queue:What waits to be built' \
'heartbeat:When hosts were last heard of, worst first' \
'drift:Hosts that run what no recorded commit gives, or were changed by somebody else' \
'stale:Hosts that were not heard of for a while' \
'missing:Hosts whose configuration evaluates and that were never seen' \
'history:Deploys, newest first' \
'show:One run again, from the record' \
'stats:Deploys per day, success rate, median duration, rollbacks' \
'register:Make hosts known as systems of this flake' \
'retire:Leave hosts out of the questions; their history stays' \
'sync:Read the commits of the configuration'\''s history' \
'poll:Ask hosts what they run' \
'evaluate:Evaluate hosts at the newest commits' \
'build:Build what is in the queue' \
'migrate:Bring the tables of a PostgreSQL database up to date' \
'flush:Record what earlier runs could not' \
'prune:Thin old reports; deploys are never forgotten' \
'export:Write the whole database as JSON lines' \
'import:Read an export into an empty database' \
'grafana:Write a dashboard for Grafana, on a PostgreSQL database' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'nix-deploy fleet commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__build_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet build commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__builds_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__builds_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet builds commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__commits_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__commits_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet commits commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__drift_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__drift_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet drift commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__evaluate_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__evaluate_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet evaluate commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__export_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet export commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__flush_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__flush_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet flush commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__grafana_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__grafana_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet grafana commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__heartbeat_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__heartbeat_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet heartbeat commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help_commands() {
    local commands; commands=(
'status:How each host stands to its flake, problem first' \
'systems:Registered systems, and whether the newest commit is evaluated for them' \
'timeline:Commits of the last 30 days\: evaluated, deployed where, running where' \
'commits:Commits with the state of each host'\''s configuration' \
'builds:Commits with every derivation' \
'queue:What waits to be built' \
'heartbeat:When hosts were last heard of, worst first' \
'drift:Hosts that run what no recorded commit gives, or were changed by somebody else' \
'stale:Hosts that were not heard of for a while' \
'missing:Hosts whose configuration evaluates and that were never seen' \
'history:Deploys, newest first' \
'show:One run again, from the record' \
'stats:Deploys per day, success rate, median duration, rollbacks' \
'register:Make hosts known as systems of this flake' \
'retire:Leave hosts out of the questions; their history stays' \
'sync:Read the commits of the configuration'\''s history' \
'poll:Ask hosts what they run' \
'evaluate:Evaluate hosts at the newest commits' \
'build:Build what is in the queue' \
'migrate:Bring the tables of a PostgreSQL database up to date' \
'flush:Record what earlier runs could not' \
'prune:Thin old reports; deploys are never forgotten' \
'export:Write the whole database as JSON lines' \
'import:Read an export into an empty database' \
'grafana:Write a dashboard for Grafana, on a PostgreSQL database' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'nix-deploy fleet help commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__build_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help build commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__builds_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__builds_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help builds commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__commits_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__commits_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help commits commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__drift_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__drift_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help drift commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__evaluate_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__evaluate_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help evaluate commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__export_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help export commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__flush_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__flush_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help flush commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__grafana_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__grafana_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help grafana commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__heartbeat_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__heartbeat_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help heartbeat commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__help_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help help commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__history_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__history_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help history commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__import_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help import commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__migrate_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__migrate_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help migrate commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__missing_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__missing_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help missing commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__poll_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__poll_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help poll commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__prune_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help prune commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__queue_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__queue_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help queue commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__register_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__register_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help register commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__retire_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__retire_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help retire commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__show_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help show commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__stale_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__stale_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help stale commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__stats_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__stats_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help stats commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__status_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help status commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__sync_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__sync_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help sync commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__systems_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__systems_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help systems commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__help__subcmd__timeline_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__help__subcmd__timeline_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet help timeline commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__history_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__history_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet history commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__import_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet import commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__migrate_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__migrate_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet migrate commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__missing_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__missing_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet missing commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__poll_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__poll_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet poll commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__prune_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet prune commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__queue_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__queue_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet queue commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__register_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__register_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet register commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__retire_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__retire_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet retire commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__show_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet show commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__stale_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__stale_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet stale commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__stats_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__stats_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet stats commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__status_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet status commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__sync_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__sync_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet sync commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__systems_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__systems_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet systems commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__fleet__subcmd__timeline_commands] )) ||
_nix-deploy__subcmd__fleet__subcmd__timeline_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy fleet timeline commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help_commands] )) ||
_nix-deploy__subcmd__help_commands() {
    local commands; commands=(
'deploy:Deploy hosts (the default; also for hosts named like a command)' \
'update:Update flake inputs with open eyes, and deploy what comes of it' \
'rollback:Take hosts back to a system they had, proven like a deploy' \
'resume:Take up a run that was interrupted\: hosts that were done are not touched' \
'status:Ask hosts how they stand right now, and why one is not well' \
'history:Show what hosts ran when\: generations and the record of deploys' \
'diff:Compare two systems of a host\: packages, units, kernel, size' \
'check:Judge the configuration\: syntax, anti-patterns, security' \
'explain:Explain a rule of \`check\`\: what, why, bad and good code' \
'doctor:Check what is needed here and on each host, and say how to mend it' \
'fleet:Ask the fleet database what runs where, since when and why' \
'issues:Show known issues of the packages that are installed on hosts' \
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
(( $+functions[_nix-deploy__subcmd__help__subcmd__diff_commands] )) ||
_nix-deploy__subcmd__help__subcmd__diff_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help diff commands' commands "$@"
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
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet_commands() {
    local commands; commands=(
'status:How each host stands to its flake, problem first' \
'systems:Registered systems, and whether the newest commit is evaluated for them' \
'timeline:Commits of the last 30 days\: evaluated, deployed where, running where' \
'commits:Commits with the state of each host'\''s configuration' \
'builds:Commits with every derivation' \
'queue:What waits to be built' \
'heartbeat:When hosts were last heard of, worst first' \
'drift:Hosts that run what no recorded commit gives, or were changed by somebody else' \
'stale:Hosts that were not heard of for a while' \
'missing:Hosts whose configuration evaluates and that were never seen' \
'history:Deploys, newest first' \
'show:One run again, from the record' \
'stats:Deploys per day, success rate, median duration, rollbacks' \
'register:Make hosts known as systems of this flake' \
'retire:Leave hosts out of the questions; their history stays' \
'sync:Read the commits of the configuration'\''s history' \
'poll:Ask hosts what they run' \
'evaluate:Evaluate hosts at the newest commits' \
'build:Build what is in the queue' \
'migrate:Bring the tables of a PostgreSQL database up to date' \
'flush:Record what earlier runs could not' \
'prune:Thin old reports; deploys are never forgotten' \
'export:Write the whole database as JSON lines' \
'import:Read an export into an empty database' \
'grafana:Write a dashboard for Grafana, on a PostgreSQL database' \
    )
    _describe -t commands 'nix-deploy help fleet commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__build_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__build_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet build commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__builds_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__builds_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet builds commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__commits_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__commits_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet commits commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__drift_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__drift_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet drift commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__evaluate_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__evaluate_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet evaluate commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__export_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet export commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__flush_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__flush_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet flush commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__grafana_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__grafana_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet grafana commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__heartbeat_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__heartbeat_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet heartbeat commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__history_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__history_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet history commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__import_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet import commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__migrate_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__migrate_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet migrate commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__missing_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__missing_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet missing commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__poll_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__poll_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet poll commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__prune_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet prune commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__queue_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__queue_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet queue commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__register_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__register_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet register commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__retire_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__retire_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet retire commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__show_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet show commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__stale_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__stale_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet stale commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__stats_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__stats_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet stats commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__status_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet status commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__sync_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__sync_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet sync commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__systems_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__systems_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet systems commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__fleet__subcmd__timeline_commands] )) ||
_nix-deploy__subcmd__help__subcmd__fleet__subcmd__timeline_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help fleet timeline commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__help_commands] )) ||
_nix-deploy__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help help commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__history_commands] )) ||
_nix-deploy__subcmd__help__subcmd__history_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help history commands' commands "$@"
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
(( $+functions[_nix-deploy__subcmd__help__subcmd__resume_commands] )) ||
_nix-deploy__subcmd__help__subcmd__resume_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help resume commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__rollback_commands] )) ||
_nix-deploy__subcmd__help__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help rollback commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__status_commands] )) ||
_nix-deploy__subcmd__help__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help status commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__help__subcmd__update_commands] )) ||
_nix-deploy__subcmd__help__subcmd__update_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy help update commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__history_commands] )) ||
_nix-deploy__subcmd__history_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy history commands' commands "$@"
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
(( $+functions[_nix-deploy__subcmd__resume_commands] )) ||
_nix-deploy__subcmd__resume_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy resume commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__rollback_commands] )) ||
_nix-deploy__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy rollback commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__status_commands] )) ||
_nix-deploy__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy status commands' commands "$@"
}
(( $+functions[_nix-deploy__subcmd__update_commands] )) ||
_nix-deploy__subcmd__update_commands() {
    local commands; commands=()
    _describe -t commands 'nix-deploy update commands' commands "$@"
}

if [ "$funcstack[1]" = "_nix-deploy" ]; then
    _nix-deploy "$@"
else
    compdef _nix-deploy nix-deploy
fi
