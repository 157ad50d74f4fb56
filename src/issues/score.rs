//! Which installed packages a title is about.
//!
//! Every word that may name a package is a candidate with a score for its
//! place; from [`ACCEPTED`] on it counts. A title has a subject: what merely
//! tells the circumstances ("crashes on wayland with nvidia") counts only when
//! there is no subject at all, and not when the subject is not installed.

use std::ops::Range;

use super::aliases::{DESKTOPS, GENERIC_MODULES, KERNEL, KERNEL_MODULES, KERNEL_PAIRS, KERNEL_SETS, Strength};
use super::inventory::{Inventory, Meaning, PackageIndex, Trust, Via};
use super::range::Versions;
use super::sentence::{ENVIRONMENTS, Role, Sentence, fails_after, is_adjective, is_culprit, previous};
use super::title::{Place, Title, is_number, version};
use super::words::{self, Usage, Words};

/// A candidate with this score is a match.
pub(super) const ACCEPTED: f32 = 2.0;
const TEMPLATE: f32 = 4.0;
const BRACKET: f32 = 3.0;
const BACKTICKS: f32 = 2.0;
const FIRST_WORDS: f32 = 2.0;
const LONG_WORD: f32 = 2.0;
const SHORT_WORD: f32 = 1.0;
const COMMON_WORD: f32 = 0.5;
const WITH_VERSION: f32 = 1.5;
const BESIDE_FAILURE: f32 = 1.0;
/// A word of so many letters is long.
const LONG: usize = 5;
/// Names of more words are not looked for.
const LONGEST_PHRASE: usize = 4;

/// A package that a title is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) package: PackageIndex,
    pub(super) score: f32,
    /// Whether it stands where templates have the package.
    pub(super) in_template: bool,
    pub(super) versions: Option<Versions>,
    pub(super) why: String,
}

struct Candidate {
    meaning: Meaning,
    words: Range<usize>,
    score: f32,
    role: Role,
    place: Place,
    versions: Option<Versions>,
    why: String,
    /// Whether a whole desktop is named.
    desktop: bool,
}

/// Everything that judging a title needs.
pub(super) struct Judge<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) words: &'a Words,
}

impl Judge<'_> {
    /// The packages that a title is about, each once.
    pub(super) fn judge(&self, title: &Title) -> Vec<Match> {
        let mut candidates = Vec::new();
        let head = self.head(title, &mut candidates);
        if head == Head::Names && candidates.iter().any(|one| one.meaning.strength == Strength::Name) {
            return self.matches(title, candidates);
        }
        if head == Head::Foreign {
            return Vec::new();
        }
        self.brackets(title, &mut candidates);
        let foreign = self.prose(title, head, &mut candidates);
        let chosen = choose(candidates, foreign);
        self.matches(title, chosen)
    }

    /// What the words before the colon name.
    fn head(&self, title: &Title, candidates: &mut Vec<Candidate>) -> Head {
        if let Some(index) = title.words.iter().position(|word| word.place == Place::Exact) {
            if let Some(meaning) = self.inventory.resolve(&title.words[index].raw, Trust::Prose) {
                let versions = meaning.version.clone().map(Versions::UpTo);
                candidates.push(self.template(title, index..index + 1, meaning, versions));
            }
            return if candidates.is_empty() { Head::Foreign } else { Head::Names };
        }
        if title.head.is_empty() {
            return Head::None;
        }
        let (mut generic, mut prose) = (false, false);
        for item in &title.head {
            let words = &title.words[item.clone()];
            let naming: Vec<&str> = words
                .iter()
                .filter(|word| !is_number(&word.raw) && !word.parenthesised)
                .map(|word| word.text.as_str())
                .collect();
            let found = match naming[..] {
                [] => None,
                [one] if words[0].place == Place::Module && GENERIC_MODULES.contains(&one) => {
                    generic = true;
                    None
                }
                [_] => {
                    let named = words.iter().find(|word| !is_number(&word.raw));
                    named.and_then(|word| self.inventory.resolve(&word.raw, Trust::NamePlace))
                }
                _ => {
                    let found = self.inventory.phrase(&naming);
                    prose |= found.is_none();
                    found
                }
            };
            if let Some(meaning) = found {
                let versions = named_version(&meaning)
                    .or_else(|| Versions::beside(&title.words, &named_words(title, item)));
                candidates.push(self.template(title, item.clone(), meaning, versions));
            } else if naming.len() == 1 && words::is_ordinary(naming[0]) {
                prose = true;
            }
        }
        match (candidates.is_empty(), generic, prose) {
            (false, ..) => Head::Names,
            (true, true, _) => Head::None,
            (true, false, true) => Head::Prose,
            (true, false, false) => Head::Foreign,
        }
    }

    fn template(
        &self,
        title: &Title,
        words: Range<usize>,
        meaning: Meaning,
        versions: Option<Versions>,
    ) -> Candidate {
        let place = title.words[words.start].place;
        let shown = shown(title, &words);
        let why = match place {
            Place::Module => format!("the title is about the module {shown}"),
            _ => format!("the title begins with {shown}"),
        };
        let score = TEMPLATE + if versions.is_some() { WITH_VERSION } else { 0.0 };
        let desktop = meaning.strength == Strength::Family && is_desktop(title, &words);
        Candidate { meaning, words, score, role: Role::Subject, place, versions, why, desktop }
    }

    /// `[kernel] …`.
    fn brackets(&self, title: &Title, candidates: &mut Vec<Candidate>) {
        for (index, word) in title.words.iter().enumerate().filter(|(_, word)| word.place == Place::Bracket) {
            if words::is_ordinary(&word.text) || words::is_generic_head(&word.text) {
                continue;
            }
            let Some(meaning) = self.inventory.resolve(&word.raw, Trust::NamePlace) else { continue };
            let words = index..index + 1;
            let versions = named_version(&meaning).or_else(|| Versions::beside(&title.words, &words));
            let score = BRACKET + if versions.is_some() { WITH_VERSION } else { 0.0 };
            let why = format!("[{}] stands in front of the title", word.raw);
            candidates.push(Candidate {
                meaning,
                words,
                score,
                role: Role::Subject,
                desktop: false,
                place: Place::Bracket,
                versions,
                why,
            });
        }
    }

    /// Looks at every word that stands among others; says whether the subject
    /// is something that is not installed.
    fn prose(&self, title: &Title, head: Head, candidates: &mut Vec<Candidate>) -> bool {
        let start = if head == Head::Prose { title.head[0].start } else { title.body };
        let mut sentence = Sentence {
            role: Role::Subject,
            led: 0,
            subject: !candidates.is_empty(),
            foreign: false,
            failed: false,
        };
        let mut index = start;
        while index < title.words.len() {
            let word = &title.words[index];
            if word.foreign || word.place == Place::Skipped || word.place == Place::Bracket {
                index += 1;
                continue;
            }
            if words::is_circumstance(&word.raw) {
                sentence.role = Role::Circumstance;
            } else if words::is_place_word(&word.raw) && sentence.role == Role::Subject {
                sentence.role = Role::Place;
            }
            let mut next = index + 1;
            match self.name_at(title, index) {
                Some((meaning, words)) => {
                    next = words.end;
                    candidates.extend(self.candidate(title, meaning, words, &mut sentence));
                }
                None => sentence.unknown(title, index, self.words),
            }
            sentence.failed |= (sentence.subject || sentence.foreign) && words::is_failure(&word.raw);
            if !words::is_lead_in(&word.raw) {
                sentence.led += 1;
            }
            sentence.clause_ends(&title.words[next - 1]);
            index = next;
        }
        sentence.foreign
    }

    /// The longest name that begins at a word.
    fn name_at(&self, title: &Title, index: usize) -> Option<(Meaning, Range<usize>)> {
        for length in (2..=LONGEST_PHRASE).rev() {
            let Some(words) = title.words.get(index..index + length) else { continue };
            let broken = words
                .iter()
                .any(|word| word.foreign || version(&word.raw).is_some() || words::is_circumstance(&word.raw))
                || words[..length - 1].iter().any(|word| word.ends_clause);
            if broken {
                continue;
            }
            let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            if let Some(meaning) = self.inventory.phrase(&texts) {
                return Some((meaning, index..index + length));
            }
        }
        let word = &title.words[index];
        let trust = if word.backticks { Trust::NamePlace } else { Trust::Prose };
        Some((self.inventory.resolve(&word.raw, trust)?, index..index + 1))
    }

    fn candidate(
        &self,
        title: &Title,
        meaning: Meaning,
        words: Range<usize>,
        sentence: &mut Sentence,
    ) -> Option<Candidate> {
        let word = &title.words[words.start];
        let usage = if words.len() > 1 || meaning.version.is_some() {
            Usage::Free
        } else {
            self.words.usage(&word.text)
        };
        let versions = named_version(&meaning).or_else(|| Versions::beside(&title.words, &words));
        let (before, after) = (previous(title, words.start), title.words.get(words.end));
        let culprit =
            is_culprit(before, after, words.start.checked_sub(1).and_then(|index| previous(title, index)));
        let broken = before.is_some_and(|word| ["broke", "breaks"].contains(&word.raw.as_str()));
        let fails = fails_after(title, words.end);
        let leads = sentence.led < 2;
        let mut score = match usage {
            _ if word.backticks => BACKTICKS,
            Usage::Ordinary => COMMON_WORD,
            Usage::Ground if culprit || (leads && fails && !sentence.subject) => FIRST_WORDS,
            Usage::Ground => COMMON_WORD,
            Usage::Free if leads => FIRST_WORDS,
            Usage::Free
                if word.text.chars().filter(|letter| letter.is_alphabetic()).count() >= LONG
                    || words.len() > 1 =>
            {
                LONG_WORD
            }
            Usage::Free => SHORT_WORD,
        };
        if usage != Usage::Ordinary && (fails || culprit || broken) {
            score += BESIDE_FAILURE;
        }
        if versions.is_some() {
            score += WITH_VERSION;
        }
        let adjective = is_adjective(word, after);
        let environment = meaning.strength == Strength::Family || ENVIRONMENTS.contains(&word.text.as_str());
        let role = if (culprit || broken && !meaning.kernel_set) && !adjective {
            Role::Subject
        } else if word.parenthesised
            || sentence.failed
            || (adjective && (sentence.subject || sentence.foreign))
            || (environment && (sentence.subject || sentence.foreign))
        {
            Role::Circumstance
        } else {
            sentence.role
        };
        if score < ACCEPTED {
            return None;
        }
        sentence.subject |= role == Role::Subject;
        let shown = shown(title, &words);
        let why = match meaning.via {
            _ if word.backticks => format!("`{shown}` stands in the title"),
            Via::Spelling => format!("the title says {shown}, most likely this package"),
            _ if role == Role::Subject => format!("the title is about {shown}"),
            _ => format!("the title names {shown}"),
        };
        let desktop = meaning.strength == Strength::Family && is_desktop(title, &words);
        Some(Candidate { meaning, words, score, role, place: Place::Prose, versions, why, desktop })
    }

    /// One match per package, the best first.
    fn matches(&self, title: &Title, candidates: Vec<Candidate>) -> Vec<Match> {
        let speaks_of_kernel =
            title.words.iter().any(|word| word.text.starts_with("kernel") || word.text.starts_with("linux"))
                || title.plain().contains("build");
        let mut matches: Vec<Match> = Vec::new();
        for candidate in candidates {
            let in_template =
                matches!(candidate.place, Place::Exact | Place::Template | Place::Module | Place::Bracket);
            for package in self.of_pair(title, &candidate, speaks_of_kernel) {
                let found = Match {
                    package,
                    score: candidate.score,
                    in_template,
                    versions: candidate.versions.clone(),
                    why: candidate.why.clone(),
                };
                match matches.iter_mut().find(|known| known.package == package) {
                    Some(known) => {
                        known.in_template |= found.in_template;
                        if known.versions.is_none() {
                            known.versions = found.versions;
                        }
                        known.score = known.score.max(found.score);
                    }
                    None => matches.push(found),
                }
            }
        }
        self.without_kernel(title, &mut matches);
        matches
    }

    /// A package in two parts: which of them is meant.
    fn of_pair(&self, title: &Title, candidate: &Candidate, speaks_of_kernel: bool) -> Vec<PackageIndex> {
        let packages = &candidate.meaning.packages;
        let pair = KERNEL_PAIRS
            .iter()
            .map(|pair| (self.inventory.find(pair.module), self.inventory.find(pair.programs)))
            .find(|(module, programs)| {
                candidate.meaning.strength == Strength::Family
                    && packages.iter().all(|package| [*module, *programs].contains(&Some(*package)))
            });
        let Some((module, programs)) = pair else { return packages.clone() };
        let text = &title.words[candidate.words.start].text;
        let of_kernel = KERNEL_SETS.iter().any(|set| text.starts_with(set));
        let wants_programs = !of_kernel && (!speaks_of_kernel || candidate.place == Place::Module);
        let mut parts: Vec<PackageIndex> = Vec::new();
        parts.extend(module.filter(|_| speaks_of_kernel));
        parts.extend(programs.filter(|_| wants_programs));
        if parts.is_empty() { packages.clone() } else { parts }
    }

    /// Leaves out a kernel that is named only as what a module does not fit.
    fn without_kernel(&self, title: &Title, matches: &mut Vec<Match>) {
        let is_module =
            |one: &Match| KERNEL_MODULES.iter().any(|name| self.inventory.find(name) == Some(one.package));
        let Some(kernel) = self.inventory.find(KERNEL) else { return };
        let named = title.words.iter().any(|word| word.text == KERNEL && !word.foreign);
        if !named && matches.iter().any(is_module) {
            matches.retain(|one| one.package != kernel);
        }
    }
}

/// What the words before the colon are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// There are none, or they say nothing.
    None,
    /// They name installed packages.
    Names,
    /// They name something that is not installed.
    Foreign,
    /// They are a sentence.
    Prose,
}

/// The candidates that count: subjects, else the place, else the first
/// circumstance; families give way to their members.
fn choose(candidates: Vec<Candidate>, foreign: bool) -> Vec<Candidate> {
    let named: Vec<(Vec<PackageIndex>, Versions)> = candidates
        .iter()
        .filter_map(|one| Some((one.meaning.packages.clone(), one.versions.clone()?)))
        .collect();
    let best = candidates.iter().map(|one| one.role).min();
    let mut chosen: Vec<Candidate> = match best {
        Some(Role::Subject) => candidates.into_iter().filter(|one| one.role == Role::Subject).collect(),
        Some(role) if !foreign => candidates.into_iter().filter(|one| one.role == role).take(1).collect(),
        _ => Vec::new(),
    };
    let members: Vec<PackageIndex> = chosen
        .iter()
        .filter(|one| one.meaning.strength == Strength::Name)
        .flat_map(|one| one.meaning.packages.clone())
        .collect();
    chosen.retain(|one| {
        one.meaning.strength == Strength::Name
            || !one.meaning.packages.iter().any(|package| members.contains(package))
    });
    let programs = chosen.iter().any(|one| one.meaning.strength == Strength::Name && one.role == Role::Subject);
    chosen.retain(|one| !(programs && one.desktop));
    // A version that stands beside another word for the same package is its version too.
    for one in chosen.iter_mut().filter(|one| one.versions.is_none()) {
        let same = named.iter().find(|(packages, _)| *packages == one.meaning.packages);
        one.versions = same.map(|(_, versions)| versions.clone());
    }
    let others = chosen.iter().any(|one| !one.meaning.kernel_set);
    chosen.retain(|one| !one.meaning.kernel_set || !others);
    chosen
}

fn is_desktop(title: &Title, words: &Range<usize>) -> bool {
    let text = &title.words[words.start].text;
    words.len() == 1 && DESKTOPS.iter().any(|desktop| text.starts_with(desktop) && !text.contains(['-', '.']))
}

/// The version in a name: an attribute's holds all that begin with it.
fn named_version(meaning: &Meaning) -> Option<Versions> {
    meaning.version.clone().map(Versions::Named)
}

/// The words of an item of a head without the versions in it.
fn named_words(title: &Title, item: &Range<usize>) -> Range<usize> {
    let end = (item.start..item.end).find(|index| is_number(&title.words[*index].raw)).unwrap_or(item.end);
    item.start..end.max(item.start + 1)
}

/// The words as the title has them.
fn shown(title: &Title, words: &Range<usize>) -> String {
    title.words[words.clone()].iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALLED: &str = "linux-6.6.31\nzfs-kernel-2.2.4\nzfs-user-2.2.4\nfirefox-126.0\nwayland-1.22\nnvidia-x11-550.78\n\
        mesa-24.0\nglibc-2.39\nsystemd-255\ntime-1.9\nfile-5.45\ngit-2.44\npatch-2.7\nplasma-workspace-6.0\n\
        plasma-desktop-6.0\nkwin-6.0\nthunderbird-115\nsamba-4.20\npodman-5.0\nvlc-3.0";

    fn about(text: &str) -> String {
        let inventory = Inventory::parse(INSTALLED);
        let words = Words::count(&[Title::parse("libvirt: fails")]);
        let found = Judge { inventory: &inventory, words: &words }.judge(&Title::parse(text));
        found.iter().map(|found| inventory.package(found.package).name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_title_is_about_its_subject_and_not_its_circumstances() {
        let cases = [
            ("Firefox crashes on wayland with nvidia", "firefox"),
            ("Firefox, Thunderbird crash on start", "firefox thunderbird"),
            ("Firefox does not respect git settings", "firefox"),
            ("Firefox hangs after mesa update", "firefox mesa"),
            ("Hyprland crashes with nvidia", ""),
            ("hyprland: crashes with nvidia", ""),
            ("minimal with podman", "podman"),
            ("Podman's systemd user service fails", "podman"),
            ("KDE: kwin crashes on login", "kwin"),
            ("Plasma broke after recent updates", "plasma-workspace plasma-desktop"),
            ("vlc cannot play dvds", "vlc"),
            // What is not installed is a subject too, when it is known as a name.
            ("Grub can't find kernel", ""),
            ("libvirt can't find systemd", ""),
            ("podman can't find systemd", "podman"),
        ];
        for (text, expected) in cases {
            assert_eq!(about(text), expected, "{text}");
        }
    }

    #[test]
    fn a_kernel_that_a_module_does_not_fit_is_not_meant() {
        assert_eq!(about("ZFS fails to build with latest kernel"), "zfs-kernel");
        assert_eq!(about("linux 6.6.31 broke zfs module"), "linux zfs-kernel");
        assert_eq!(about("nvidia driver broken in linuxPackages_latest"), "nvidia-x11");
        assert_eq!(about("Using linuxPackages_latest results in unbootable system"), "linux");
        assert_eq!(about("zfs: pool import fails"), "zfs-user");
    }

    #[test]
    fn a_common_word_is_a_package_only_where_names_stand() {
        for text in [
            "Wrong time after boot",
            "File system is read only",
            "Patch phase fails",
            "git in PATH is ignored by builds",
        ] {
            assert_eq!(about(text), "", "{text}");
        }
        assert_eq!(about("time: wrong memory usage"), "time");
        assert_eq!(about("`file` shows the wrong type"), "file");
        assert_eq!(about("patch 2.7 fails with fuzz"), "patch");
        assert_eq!(about("git: segfault at the end of pulling"), "git");
    }
}
