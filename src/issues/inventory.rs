//! What is installed, and which of it a name in a title means.
//!
//! A name is tried as it is, then as other people's name for it, then as the
//! attribute, part or variant of a package; the first way that leads to an
//! installed package counts.

use std::collections::{HashMap, HashSet};

use crate::model::InstalledPackage;
use crate::model::package_name::{Kind, kind};

use super::aliases::{KERNEL, KERNEL_FLAVOURS, KERNEL_SETS, PARTS, Strength, alias, begins_an_alias};
use super::attributes::{
    FILE_SUFFIXES, FLAVOURS, INTERPRETERS, OF_A_PACKAGE, OPTION_ROOTS, PART_SUFFIXES, SETS, TWO_PART_DIGITS,
    UNIT_SUFFIXES, VARIANT_SUFFIXES,
};
use super::title::normalise;
use super::words::is_ordinary;

/// The index of a package in its inventory.
pub(super) type PackageIndex = usize;

/// Packages by their names.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    packages: Vec<InstalledPackage>,
    exact: HashMap<String, PackageIndex>,
    /// Without any dash and dot: `networkmanager` is `network-manager`.
    squeezed: HashMap<String, PackageIndex>,
    /// The first words of names of several words.
    beginnings: HashSet<String>,
    /// By what stands before a suffix that says which part it is.
    by_base: HashMap<String, Vec<PackageIndex>>,
    /// Long names by first letter and length, for spelling mistakes.
    by_shape: HashMap<(u8, usize), Vec<PackageIndex>>,
}

/// How a name led to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// It is the package's name.
    Name,
    /// People call the package so.
    Alias,
    /// It is an attribute of the package set.
    Attribute,
    /// It names a part of the package.
    Part,
    /// It is written otherwise: without dashes, or with a mistake.
    Spelling,
}

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) packages: Vec<PackageIndex>,
    pub(super) via: Via,
    pub(super) strength: Strength,
    /// The version in the name: `openssl_1_0_2`, `zfs-2.4.1`.
    pub(super) version: Option<String>,
    /// Only a set of kernel packages was named.
    pub(super) kernel_set: bool,
}

/// How sure it is that a word is meant as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It stands where names stand.
    NamePlace,
    /// It stands among other words.
    Prose,
}

/// A name that is shorter has too many neighbours to mend its spelling.
const MENDED_FROM: usize = 8;
/// A name that is shorter is not recognised without its dashes.
const SQUEEZED_FROM: usize = 6;

impl Inventory {
    /// An inventory of packages; those with the same name become one.
    pub(crate) fn new(packages: impl IntoIterator<Item = InstalledPackage>) -> Self {
        let mut inventory = Self::default();
        for package in packages {
            inventory.add(package);
        }
        inventory
    }

    /// Reads a list with a `name-version` per line, or a bare name where no
    /// version is known.
    pub(crate) fn parse(text: &str) -> Self {
        let packages = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self::new(packages.map(|line| match kind(line) {
            Kind::Package { name, version } => {
                InstalledPackage { name, versions: vec![version.to_owned()], selected: true }
            }
            Kind::Configuration => {
                InstalledPackage { name: line.to_owned(), versions: Vec::new(), selected: true }
            }
        }))
    }

    fn add(&mut self, package: InstalledPackage) {
        let name = normalise(&package.name);
        if let Some(index) = self.exact.get(&name) {
            let known = &mut self.packages[*index];
            known.versions.extend(package.versions);
            known.selected |= package.selected;
            return;
        }
        let index = self.packages.len();
        self.beginnings.extend(name.split_once('-').map(|(first, _)| first.to_owned()));
        self.squeezed.entry(squeeze(&name)).or_insert(index);
        if let Some((base, suffix)) = name.rsplit_once('-')
            && PART_SUFFIXES.contains(&suffix)
        {
            self.by_base.entry(base.to_owned()).or_default().push(index);
        }
        if name.len() >= MENDED_FROM - 1 {
            self.by_shape.entry((name.as_bytes()[0], name.len())).or_default().push(index);
        }
        self.exact.insert(name, index);
        self.packages.push(package);
    }

    /// A package.
    pub(super) fn package(&self, index: PackageIndex) -> &InstalledPackage {
        &self.packages[index]
    }

    /// The names of all packages.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().map(|package| package.name.as_str())
    }

    /// How many packages there are.
    pub(crate) fn len(&self) -> usize {
        self.packages.len()
    }

    /// The package of exactly this name.
    pub(super) fn find(&self, name: &str) -> Option<PackageIndex> {
        self.exact.get(name).copied()
    }

    /// What several words side by side mean: `signal desktop`.
    pub(super) fn phrase(&self, words: &[&str]) -> Option<Meaning> {
        let first = words.first()?;
        if (self.beginnings.contains(*first) || begins_an_alias(first))
            && let Some(meaning) = self.by_name(&words.join("-"))
        {
            return Some(meaning);
        }
        // `open vpn` is written together, and longer names are not.
        let telling = words.len() == 2
            && words.iter().map(|word| word.len()).sum::<usize>() >= MENDED_FROM
            && words.iter().any(|word| !is_ordinary(word));
        let index = telling.then(|| self.squeezed.get(&squeeze(&words.concat()))).flatten()?;
        Some(meaning(vec![*index], Via::Spelling))
    }

    /// What a word means, if it means a package that is installed.
    pub(super) fn resolve(&self, raw: &str, trust: Trust) -> Option<Meaning> {
        let name = normalise(raw);
        if let Some(meaning) = self.by_name(&name) {
            return Some(meaning);
        }
        // Most words of a title are ordinary ones.
        if is_ordinary(&name) {
            return None;
        }
        if let Some(unit) = UNIT_SUFFIXES.iter().find_map(|suffix| raw.strip_suffix(suffix)) {
            return self.resolve(unit, trust);
        }
        if FILE_SUFFIXES.iter().any(|suffix| raw.ends_with(suffix))
            || raw.contains(".so.")
            || raw.ends_with(".so")
        {
            return None;
        }
        if is_attribute_path(&name) {
            return self.attribute(&name, trust);
        }
        if let Kind::Package { name: base, version } = kind(&name)
            && base != name
        {
            // Attributes write the dots of a version as `_`.
            let is_attribute = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            let version = if is_attribute { version.replace('-', ".") } else { version.to_owned() };
            return Some(Meaning { version: Some(version), ..self.resolve(&base, trust)? });
        }
        if name.contains('.') {
            return self.attribute(&name, trust);
        }
        self.numbered(&name, trust)
            .or_else(|| self.part(raw, &name))
            .or_else(|| self.variant(&name))
            .or_else(|| self.spelling(&name, trust))
    }

    fn by_name(&self, name: &str) -> Option<Meaning> {
        if let Some((strength, names)) = alias(name) {
            let present = names.iter().filter_map(|name| self.find(name));
            let packages: Vec<_> = match strength {
                Strength::Name => present.take(1).collect(),
                Strength::Family => present.collect(),
            };
            if !packages.is_empty() {
                let own = packages.len() == 1 && self.find(name) == Some(packages[0]);
                return Some(Meaning {
                    strength,
                    ..meaning(packages, if own { Via::Name } else { Via::Alias })
                });
            }
        }
        if KERNEL_SETS.iter().any(|set| name.starts_with(set)) && !name.contains('.') {
            let flavour = name
                .split('-')
                .find_map(|part| KERNEL_FLAVOURS.iter().find(|flavour| part.starts_with(**flavour)));
            let kernel = flavour.map_or_else(|| KERNEL.to_owned(), |flavour| format!("{KERNEL}-{flavour}"));
            let packages = vec![self.find(&kernel)?];
            let version = attribute_version(name);
            return Some(Meaning {
                kernel_set: true,
                strength: Strength::Family,
                version,
                ..meaning(packages, Via::Attribute)
            });
        }
        Some(meaning(vec![self.find(name)?], Via::Name))
    }

    /// `python3Packages.lxml`, `linuxPackages_latest.nvidia_x11`,
    /// `services.nginx.enable`.
    fn attribute(&self, path: &str, trust: Trust) -> Option<Meaning> {
        let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
        let (first, rest) = parts.split_first()?;
        let last = rest.last()?;
        if OPTION_ROOTS.contains(first) {
            return rest.iter().filter(|part| !is_ordinary(part)).find_map(|part| self.by_name(part));
        }
        if KERNEL_SETS.iter().any(|set| first.starts_with(set)) {
            return if *last == "kernel" {
                self.by_name(first)
            } else {
                self.resolve(last, Trust::NamePlace).map(|found| Meaning { version: None, ..found })
            };
        }
        if let Some((_, flavoured)) = FLAVOURS.iter().find(|(set, _)| set == first) {
            return self.by_name(flavoured);
        }
        let is_set = |part: &&str| SETS.contains(part) || part.contains("packages");
        if is_set(first) || rest[..rest.len() - 1].iter().any(is_set) {
            let interpreter = INTERPRETERS.iter().find(|name| first.starts_with(**name));
            let found = match interpreter {
                Some(interpreter) => self.of_interpreter(interpreter, last),
                None => self.resolve(last, Trust::NamePlace),
            };
            return found.map(|found| Meaning { via: Via::Attribute, ..found });
        }
        OF_A_PACKAGE.contains(last).then(|| self.resolve(first, trust)).flatten()
    }

    /// A package of an interpreter; under its bare name only when nothing says
    /// that this is another package.
    fn of_interpreter(&self, interpreter: &str, name: &str) -> Option<Meaning> {
        let bare = || self.find(name).filter(|index| self.packages[*index].versions.is_empty());
        let index = self.find(&format!("{interpreter}-{name}")).or_else(bare)?;
        Some(meaning(vec![index], Via::Attribute))
    }

    /// `python36`, `nodejs20`, `gcc13`.
    fn numbered(&self, name: &str, trust: Trust) -> Option<Meaning> {
        let base = name.trim_end_matches(|last: char| last.is_ascii_digit());
        let digits = &name[base.len()..];
        let is_library = base.starts_with("lib") && trust == Trust::Prose;
        if digits.is_empty() || base.len() < 3 || is_library || base.contains('.') {
            return None;
        }
        let (version, names) = if TWO_PART_DIGITS.contains(&base) && digits.len() > 1 {
            (
                format!("{}.{}", &digits[..1], &digits[1..]),
                vec![format!("{base}{}", &digits[..1]), base.to_owned()],
            )
        } else {
            (digits.to_owned(), vec![base.to_owned()])
        };
        let found = names.iter().find_map(|name| self.by_name(name))?;
        Some(Meaning { version: Some(version), via: Via::Attribute, ..found })
    }

    /// `systemd-resolved`, and identifiers like `grub_is_shim_lock_enabled`.
    fn part(&self, raw: &str, name: &str) -> Option<Meaning> {
        let whole = PARTS.iter().find(|(prefix, _)| name.starts_with(prefix));
        if let Some(index) = whole.and_then(|(_, whole)| self.find(whole)) {
            return Some(meaning(vec![index], Via::Part));
        }
        let (first, _) = raw.split_once('_').filter(|_| raw.matches('_').count() > 1 && !raw.contains('-'))?;
        let index = self.find(first).filter(|_| first.len() > 3 && !is_ordinary(first))?;
        Some(meaning(vec![index], Via::Part))
    }

    /// `firefox-wayland`, `zfs_unstable`.
    fn variant(&self, name: &str) -> Option<Meaning> {
        let base = VARIANT_SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix))?;
        if is_ordinary(base) {
            return None;
        }
        self.by_name(base).map(|found| Meaning { via: Via::Attribute, ..found })
    }

    /// Without dashes, with the suffix of a part, or with one mistake.
    fn spelling(&self, name: &str, trust: Trust) -> Option<Meaning> {
        if is_ordinary(name) {
            return None;
        }
        let squeezed = squeeze(name);
        if squeezed.len() >= SQUEEZED_FROM
            && let Some(index) = self.squeezed.get(&squeezed)
        {
            return Some(meaning(vec![*index], Via::Spelling));
        }
        if trust == Trust::NamePlace && name.len() > 3 {
            let parts = self.by_base.get(name).filter(|parts| parts.len() == 1);
            let of_python = || self.find(&format!("python-{name}"));
            if let Some(index) = parts.map(|parts| parts[0]).or_else(of_python) {
                return Some(meaning(vec![index], Via::Attribute));
            }
        }
        let is_word =
            name.len() >= MENDED_FROM && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !is_word {
            return None;
        }
        let near = (name.len() - 1..=name.len() + 1)
            .filter_map(|length| self.by_shape.get(&(name.as_bytes()[0], length)))
            .flatten()
            .filter(|index| is_one_mistake_away(name, &normalise(&self.packages[**index].name)));
        let near: Vec<PackageIndex> = near.copied().collect();
        (near.len() == 1).then(|| meaning(near, Via::Spelling))
    }
}

/// Whether a name begins with a known set of attributes.
fn is_attribute_path(name: &str) -> bool {
    let Some((first, _)) = name.split_once('.') else { return false };
    SETS.contains(&first)
        || OPTION_ROOTS.contains(&first)
        || first.contains("packages")
        || KERNEL_SETS.iter().any(|set| first.starts_with(set))
}

fn meaning(packages: Vec<PackageIndex>, via: Via) -> Meaning {
    Meaning { packages, via, strength: Strength::Name, version: None, kernel_set: false }
}

/// `linuxpackages-5-7` → `5.7`.
fn attribute_version(name: &str) -> Option<String> {
    let version: Vec<&str> = name.split('-').skip(1).collect();
    let is_version = !version.is_empty()
        && version.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_version.then(|| version.join("."))
}

fn squeeze(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '-' | '.' | '_' | '+')).collect()
}

/// One letter more, less, other, or two letters in the wrong order; digits are
/// never mistakes, and neither is the plural.
fn is_one_mistake_away(left: &str, right: &str) -> bool {
    if left == right || !right.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return false;
    }
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let start = left.iter().zip(right).take_while(|(one, other)| one == other).count();
    let room = left.len().min(right.len()) - start;
    let end =
        left.iter().rev().zip(right.iter().rev()).take(room).take_while(|(one, other)| one == other).count();
    let (one, other) = (&left[start..left.len() - end], &right[start..right.len() - end]);
    match (one, other) {
        ([extra], []) | ([], [extra]) => extra.is_ascii_lowercase() && *extra != b's',
        ([_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::aliases::ALIASES;

    fn inventory() -> Inventory {
        Inventory::parse(
            "linux-6.6.31\nnvidia-x11-550.78-6.6.31\nzfs-kernel-2.2.4-6.6.31\nopenssl-3.0.13\npython3-3.11.9\n\
             python3.11-lxml-5.2.1\npandas\nNetworkManager-1.46.0\nsystemd-255.4\ngrub-2.12\nfirefox-126.0\n\
             plasma-workspace-6.0.4\nplasma-desktop-6.0.4\nfrei0r-plugins\nqjackctl-0.9.12\nsignal-desktop-7.8.0\n\
             nodejs-20.12.2\ncitrix-workspace\nopenssh-9.7p1\nlibxml2+py-2.9.5\ngtk+3-3.24.41\ntime-1.9\nnginx-1.26.0",
        )
    }

    fn names(raw: &str, trust: Trust) -> String {
        let inventory = inventory();
        let Some(found) = inventory.resolve(raw, trust) else { return String::new() };
        let names: Vec<&str> =
            found.packages.iter().map(|index| inventory.package(*index).name.as_str()).collect();
        match found.version {
            Some(version) => format!("{}@{version}", names.join(" ")),
            None => names.join(" "),
        }
    }

    #[test]
    fn a_name_leads_to_its_package_however_it_is_written() {
        let cases = [
            ("firefox", "firefox"),
            ("networkmanager", "NetworkManager"),
            ("nmtui", "NetworkManager"),
            ("firefox-wayland", "firefox"),
            ("openssl_1_0_2", "openssl@1.0.2"),
            ("pkgs.i686linux.openssl_1_0_2", "openssl@1.0.2"),
            ("openssl-3.0.13", "openssl@3.0.13"),
            ("python36", "python3@3.6"),
            ("nodejs_20", "nodejs@20"),
            ("nodejs20", "nodejs@20"),
            ("python3packages.lxml", "python-lxml"),
            ("python312packages.pandas", "pandas"),
            ("python3.pkgs.lxml", "python-lxml"),
            ("linuxpackages_latest.nvidia_x11", "nvidia-x11"),
            ("linuxpackages_5_7.kernel", "linux@5.7"),
            ("linuxpackages_latest", "linux"),
            ("linux_6_6", "linux@6.6"),
            ("systemd-resolved", "systemd"),
            ("systemd-hostnamed.socket", "systemd"),
            ("nginx.service", "nginx"),
            ("services.nginx.enable", "nginx"),
            ("grub_is_shim_lock_enabled", "grub"),
            ("citrix_workspace", "citrix-workspace"),
            ("plasma", "plasma-workspace plasma-desktop"),
            ("sshd", "openssh"),
            ("gtk3", "gtk+3"),
        ];
        for (raw, expected) in cases {
            assert_eq!(names(raw, Trust::Prose), expected, "{raw}");
        }
    }

    #[test]
    fn what_is_no_name_leads_nowhere() {
        for raw in [
            "systemd-boot-builder.py",
            "libssl.so.1.0.0",
            "time.clock",
            "uuid.uuid1",
            "python3packages.time",
            "python3.13-foo-1.0",
            "fire",
            "networks",
            "6.17",
            "x86_64-linux",
            "nixos",
            "frei0r",
            "_uuid_generate_time",
            "hostname.service.d",
        ] {
            assert_eq!(names(raw, Trust::Prose), "", "{raw}");
        }
    }

    #[test]
    fn a_place_for_names_is_read_more_freely() {
        assert_eq!(names("frei0r", Trust::NamePlace), "frei0r-plugins");
        assert_eq!(names("lxml", Trust::NamePlace), "python-lxml");
        assert_eq!(names("lxml", Trust::Prose), "");
    }

    #[test]
    fn one_spelling_mistake_in_a_long_name_is_mended() {
        assert_eq!(names("qjackctrl", Trust::Prose), "qjackctl");
        assert_eq!(names("signaldesktop", Trust::Prose), "signal-desktop");
        assert!(is_one_mistake_away("firefoxx", "firefox") && is_one_mistake_away("fierfox", "firefox"));
        assert!(!is_one_mistake_away("packages", "package") && !is_one_mistake_away("openssl1", "openssl"));
    }

    #[test]
    fn aliases_are_written_as_names_are_compared() {
        for (name, _, packages) in ALIASES {
            assert_eq!(normalise(name), *name);
            assert!(packages.iter().all(|package| normalise(package) == *package), "{name}");
        }
    }
}
