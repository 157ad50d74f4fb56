//! The words of issue titles, by what they are. Data only; `words` asks it.

/// Ordinary words and words of the trade: there are packages of many of these
/// names, and in prose none of them means its package.
pub(super) const ORDINARY: &str = "\
a able about above absent access account across action activate activation active actual actually add added \
adding address after again against agent all allow allowed allows almost alone along already also alt \
alternate although always am amount an analog and another any anymore anything api app appear appears appendix apple \
application applications apply apps architecture archive are area arg args argument arguments around array \
arrow as ask asks assertion at attempt attempting attic attr attribute audio audit auth authentication auto \
automatic automatically available avoid aware away babel back backend background backlight backup bad bar base \
based basic batch battery be because become becomes been before behavior behaviour being below best beta better \
between big bin binaries binary bit black blank block blocked blocks blue bluetooth board body boot bootable \
booting boots both bottom box branch break breakage breaking breaks bridge brightness broke broken browser \
buffer bug build builder building builds built bump but button by bytes cache call called caller calls can \
cancel cannot card case cases cause caused causes causing center certain certificate certificates chain change \
changed changes channel channels char character characters check checked checking checks child choose class \
clean clear click client clients clipboard clock close closed closes closing cloud cluster code cold color colors \
colour come comes command commands comment commit common compared compat compatible compilation compile \
compiled compiler compiles compiling complete completely completion component compose composite computer \
conf config configuration configurations configure configured configuring conflict conflicting conflicts \
connect connected connecting connection console constraint contain container containers contains content \
context control controller convert copy core correct correctly corrupt corrupted could count courier cpu crash \
crashed crashes crashing create created creates creating cross current currently cursor custom cycle daemon dark \
data database datasource date day days dead debug default defaults define defined delay delete deleted deny \
dependencies dependency dependent deploy deprecated derivation derivations desktop destroy detach detect \
detected detection dev device devices diagnostics dialog did die dies different dig digest dir direct directories \
directory disable disabled disables disappear discard disconnect disk disks dislike display displays \
distribution dns do doc docs document documentation documented does doesn't doing domain don't done double down \
download downloading downgrade draft drive driver drivers drop dropped due dump dumped dumps duplicate during \
dynamic each early easy edit editor effect eject element empty enable enabled enables enabling encode encoding \
encrypted end engine enough ensure enter entire entries entry env environment environments error errors escape \
eval evaluate evaluating evaluation even event ever every everything everywhere exact exactly example except \
exception executable execute executed executing execution exhausted exist existing exists exit exits expect expected \
explicit export exposed expression extend extension extensions external extra extract face fail failed failing \
fails failure failures fallback false fan fast fatal feature fetch fetched few file files filesystem filesystems \
filter final find fine finish firmware first fish fix fixed flag flags flake flakes flash flickering float folder \
folders folks following font fonts for force forced forever fork form format found frame framework free freeze \
freezes freezing frequent frequently fresh from frozen full fully function functionality functions game games \
garbage gateway gen general generate generated generates generation generations generic geometry get gets getting \
give given gives global go goes gone good got graphics graphical greater green grey group groups guard guest gui guide \
had half hand handle handling hang hanging hangs happens hard hardcoded hardware has hash hashes have having header \
headers headless health heap help here hibernate hibernation hidden high highlight hit hold home hook host hosts hour \
hours how http https hyperlink hyphen i icon icons id idle if ignore ignored ignores ignoring image images impact \
implement implementation import impossible improper improve in include included including incompatible incomplete \
incorrect incorrectly increase indefinitely index infinite info information init initial initialization \
initialize initrd input inputs insecure insert inside install installation installed installer installing \
installs instance instances instead integration interface internal internet into invalid invoke invoked io ip is isn't iso \
issue issues it items its itself job jobs join journal json jump just keep keeps key keyboard \
keyboards keymap keyring keys kill killed kind know known lack lag language laptop large last late later latest \
launch launched launcher launches launching layer layout lead leads leak least leave left legacy length less let \
level lib libraries library license light like limit limited line lines link linked linker linking links list \
listen listener listing listings live load loaded loader loading loads local locale locales localhost location \
lock locked locking lockscreen log logged logging login logout logs long longer look looks loop loops lose loses loss \
lost lot low machine machines mail main maintained maintainer maintenance major make makes making man manage \
manager managers managing manual manually many map mark marked mask master match matching max maximum may mean \
media memory menu merge message messages meta metadata method might migrate migration min mini minimal minor minutes \
mirror mismatch misleading misses missing mobile mock mode model modern modify module modules monitor monitors more \
most mount mounted mounting mounts mouse move moved much multi multiple multirow must name named names native natural \
nearly need needed needs neither nest net network networking networks never new newer newest newt next nice night no \
node nodes none noisy nonexistent nonfree normal nose not note nothing notification notifications now null number numbers \
object occasionally of off offline offload old older on once one only onto open opened opening openings opens operation \
operations option optional options or orc order original os other others our out outdated output outputs outside over \
overflow overlay overlays override overrides own owner ownership package packaged packages packaging packing pad page \
pages panel panic parallel parameter parameters parent parse parser parsing part partial partially partition \
partitions pass passed passing passphrase password passwords past paste patch patched patches patching path paths \
pause pending people per perform performance permanent permission permissions persist persistent phase phone pick picker \
pipe place plain plane platform platforms play player please plug plugged plugin plugins plus point pointer points policy pool \
poor popup port ports possible post power ppp pre prefer prefix present preset prevent prevented prevents preview \
previous previously primary print printer printers printing prior priority prison private problem problems process processes \
processor produce produces product profile profiles program programs progress project prompt properly properties \
property propagate propagated protocol provide provided provides proxy public pull pure purity push put query question \
queue quick quit quote random range rate raw re reach reached read reader reading reads real really reason reboot \
rebooting reboots rebuild rebuilding receive recent recently recognize recognized record recursion recursive red redirect \
reduce ref refer reference references refuse refuses regarding register regression regressions reject related release \
releases reliable reload reloading remote remotely remove removed removes removing rename render rendering renders repair \
repeat repeated replace replaced report repo repositories repository reproduce reproducible request requests require \
required requires requiring rescue reset resize resolution resolve resolved resolving resource resources respect respected \
response rest restart restarted restarting restarts restore result results resume retry return returned returns reverse \
revert rewrite right ring role roll rollback root rotate round route router routes routing rule rules run running runs \
runtime safe same sandbox sandboxed save saved say says scale scaling scan scheme scope screen screens screenshot \
screensharing script scripts scroll search second secondary seconds secret secrets section secure security see seem seems \
segfault segfaults segmentation select selected selection self send sending separate sequence serial series server \
servers service services session sessions set sets setting settings setup several severe shadow share shared sharing shell \
shells shim shipped short should show showing shown shows shut shutdown side sign signature signatures signal silent \
silently similar simple simply simultaneously since single site size sleep slim slow slowly slug small smart snap so \
socket sockets soft software solid some something sometimes somewhere soon sort sound source sources space special \
specific specified specify speed split spurious stable stack stage stale standard star start started starting starts \
startup state statement static stay stays step steps still stop stopped stopping stops storage store straight stream \
strict string strings strip structure stuck stuff style sub submodule submodules subset substitute substituter \
substituters subsystem success successfully such suddenly suggest suggestion suite super support supported supports \
suppress surface suspend suspended suspending swap swatch switch switching symbol symbols symlink symlinks sync \
syntax system systems tab table tablet tabs tag take takes tap tar target targets task taskbar tasks tell temp temporary term \
terminal terminals test tested testing tests text texture than that the their them theme themes then there these they thin \
thing things this those though thread threads three throws thumbnail thumbnails time timed timeout timer times timezone \
title titles tmp to today together token too tool toolbar toolchain tools top topic total touch touchpad \
touchscreen trace track tracker tracking trailing transient translation translations transparent trash tray tree tried \
trigger triggers trivial true trust trusted try trying tty turn turns twice two type types typo ui unable unavailable \
unbootable under undefined unexpected unexpectedly unfree unicode unit units universal unknown unlock unmaintained \
unneeded unpack unpacked unreachable unreadable unreliable unrelated unresolved unset unstable unsupported until untrusted unused unusable \
unwrapped up updated updates updating update upgrade upgraded upgrades upgrading upload upstream url urls us usable usage \
usb use used useful useless user users uses using utf utilities utility valid validation value values variable variables \
variant variants various vector vendor verify version versioned versions very via video view virtual visible voice volume \
volumes vulnerabilities vulnerability vulnerable wait waiting wake wallpaper want wants warning warnings was wasn't watch way we \
weak web webcam weekly week weeks well were wheel when where whether which while white whitelist who whole why wide widget widgets \
width wifi wiki will window windows wine-prefix wireless with within without won't word work workaround worked working works \
workspace workspaces world would wrap wrapped wrapper wrappers writable write writes writing wrong year yet you your zero zip \
zone zoom";

/// Names that titles use for the ground they stand on: meant only when they
/// lead the sentence, carry a version, or stand in a template place.
pub(super) const GROUND: &[&str] = &[
    "bash",
    "cmake",
    "docker",
    "gcc",
    "git",
    "glibc",
    "go",
    "gtk",
    "gtk3",
    "java",
    "linux",
    "llvm",
    "make",
    "mesa",
    "nix",
    "node",
    "nodejs",
    "npm",
    "perl",
    "pip",
    "python",
    "python2",
    "python3",
    "qt",
    "qt5",
    "qt6",
    "ruby",
    "rust",
    "rustc",
    "cargo",
    "ssh",
    "vim",
    "wayland",
    "x11",
    "xorg",
    "xwayland",
    "lua",
    "php",
    "ocaml",
    "zlib",
    "curl",
    "emacs",
    "sudo",
    "wine",
    "clang",
    "meson",
    "ninja",
    "sphinx",
    "latex",
    "pam",
    "dbus",
    "busybox",
    "coreutils",
];

/// Words in front of a colon that say nothing about what is meant.
pub(super) const GENERIC_HEADS: &[&str] = &[
    "aarch64",
    "aarch64-linux",
    "beta",
    "bug",
    "bug-report",
    "build-failure",
    "build-error",
    "cross",
    "error",
    "fatal",
    "feature",
    "flake",
    "flakes",
    "hydra",
    "i686",
    "important",
    "installer",
    "issue",
    "master",
    "minor",
    "nixos",
    "nixos-unstable",
    "nixpkgs",
    "nixpkgs-unstable",
    "note",
    "package",
    "packagename",
    "pkgs",
    "problem",
    "question",
    "regression",
    "release",
    "security",
    "stable",
    "staging",
    "staging-next",
    "unstable",
    "unstable-small",
    "urgent",
    "warning",
    "x86-64-linux",
    "desktop",
    "laptop",
    "wayland",
    "x11",
    "armv7l",
    "musl",
    "static",
];

/// A clause that begins so tells the circumstances, not the subject.
pub(super) const CIRCUMSTANCE: &[&str] = &[
    "with", "on", "under", "via", "from", "after", "when", "while", "if", "inside", "against", "by", "for",
    "without", "during", "before", "because", "due", "since", "despite", "unless", "through", "within", "as",
    "until", "like", "w/", "vs", "between", "than", "although", "even",
];

/// The same, but what follows is where it happens: meant when nothing else is.
pub(super) const PLACE_WORDS: &[&str] = &["in", "at", "into", "to", "of", "inside"];

/// The beginnings of words that say what is wrong.
pub(super) const FAILURES: &[&str] = &[
    "abort",
    "bootloop",
    "bork",
    "break",
    "broke",
    "bug",
    "can't",
    "cannot",
    "chrash",
    "coredump",
    "core-dump",
    "corrupt",
    "crash",
    "crush",
    "deadlock",
    "does",
    "doesn",
    "doesnt",
    "don't",
    "dump",
    "error",
    "exit",
    "fail",
    "flicker",
    "freez",
    "froze",
    "hang",
    "hung",
    "hard-lock",
    "incompatib",
    "incorrect",
    "infinite",
    "invalid",
    "isn't",
    "kill",
    "lack",
    "leak",
    "lock",
    "lose",
    "loses",
    "lost",
    "miss",
    "mistak",
    "never",
    "no",
    "not",
    "panic",
    "problem",
    "refus",
    "regress",
    "reject",
    "segfault",
    "segmentation",
    "segv",
    "sigsegv",
    "slow",
    "stop",
    "stuck",
    "throw",
    "timeout",
    "unable",
    "unbootable",
    "unusable",
    "uses",
    "vulnerab",
    "won't",
    "wont",
    "wrong",
    "is",
    "unresponsive",
    "ignore",
    "outdated",
    "still",
    "hard-locks",
    "overwrites",
    "conflict",
    "consum",
    "rejects",
    "loops",
    "black",
    "blank",
    "tries",
    "requires",
    "cve",
    "installed",
    "started",
    "enabled",
    "service",
    "fault",
];

/// Words that one reads over at the beginning of a sentence.
pub(super) const LEAD_IN: &[&str] = &[
    "a",
    "an",
    "the",
    "latest",
    "new",
    "newest",
    "current",
    "default",
    "recent",
    "some",
    "all",
    "my",
    "our",
    "frequent",
    "frequently",
    "random",
    "randomly",
    "sometimes",
    "often",
    "since",
    "using",
    "running",
    "loading",
    "starting",
    "launching",
    "opening",
    "can't",
    "cannot",
    "unable",
    "to",
    "could",
    "not",
    "segfault",
    "crash",
    "when",
    "after",
    "updating",
    "building",
    "installing",
    "enabling",
    "error",
    "failure",
    "issue",
    "problem",
    "bug",
    "in",
    "with",
    "of",
    "why",
    "is",
    "does",
    "how",
    "module",
];
