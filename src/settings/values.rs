//! Checks single values of hosts.toml: addresses, users, units, URLs, paths.
//!
//! Invariant: what passes here can stand in an ssh configuration, an argument
//! list and a unit name as it is. Nothing that passes begins with `-`, and
//! nothing holds white space, control characters or quotes.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use crate::model::{HostName, Secret};

/// Names that mean something else where a host can stand.
const RESERVED_HOSTS: [&str; 3] = ["all", "local", "target"];
/// What systemd calls its units (systemd.unit(5)).
const UNIT_SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];
/// systemd's limit for a unit name.
const LONGEST_UNIT: usize = 255;

/// Where a host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// It is the machine we run on.
    Here,
    /// ssh connects to this.
    Remote(String),
}

/// What relative paths and `~/` stand for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchors<'a> {
    /// The folder of hosts.toml.
    pub(crate) directory: &'a Path,
    /// The home folder, when there is one.
    pub(crate) home: Option<&'a Path>,
}

impl Anchors<'_> {
    /// The absolute path that a text means.
    pub(crate) fn path(&self, text: &str) -> Result<PathBuf, String> {
        if text.is_empty() {
            return Err("a path cannot be empty".to_owned());
        }
        if let Some(character) = text.chars().find(|character| character.is_control() || *character == '"') {
            return Err(format!("a path here cannot hold {character:?}"));
        }
        match text.strip_prefix('~') {
            None => Ok(self.directory.join(text)),
            Some(below) if below.is_empty() || below.starts_with('/') => {
                let home = self.home.ok_or("\"~\" needs a home folder, and HOME is not set")?;
                Ok(home.join(below.trim_start_matches('/')))
            }
            Some(_) => Err(format!("{text:?}: only \"~/…\" is expanded; write the whole path")),
        }
    }
}

/// Refuses what could be taken for an option or end a word.
fn check_word(text: &str, extra: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("cannot be empty".to_owned());
    }
    if text.starts_with('-') {
        return Err(format!("{text:?} begins with '-' and could be taken for an option"));
    }
    let refused =
        text.chars().find(|character| !(character.is_ascii_alphanumeric() || extra.contains(*character)));
    match refused {
        Some(character) => Err(format!("{text:?} holds {character:?}, which cannot stand here")),
        None => Ok(()),
    }
}

/// An address: a name, an IPv4 or an IPv6 address, or `local`.
pub(crate) fn address(text: &str) -> Result<Address, String> {
    if text == "local" {
        return Ok(Address::Here);
    }
    if let Some((user, host)) = text.split_once('@') {
        return Err(format!("write the user by itself: address = {host:?} and user = {user:?}"));
    }
    if text.contains("://") {
        return Err(format!("{text:?} is a URL; write the name or address alone"));
    }
    if let Some((host, port)) = text.trim_start_matches('[').split_once("]:") {
        return Err(format!("write the port by itself: address = {host:?} and port = {port}"));
    }
    if let Some(inner) = text.strip_prefix('[') {
        return Err(format!("write an IPv6 address without brackets: {:?}", inner.trim_end_matches(']')));
    }
    if let [host, port] = text.split(':').collect::<Vec<_>>()[..]
        && port.parse::<u16>().is_ok()
    {
        return Err(format!("write the port by itself: address = {host:?} and port = {port}"));
    }
    // `%` belongs to the zone of a link-local IPv6 address.
    check_word(text, ".:_-%")?;
    let number = text.split_once('%').map_or(text, |(number, _)| number);
    if text.contains([':', '%']) && number.parse::<Ipv6Addr>().is_err() {
        return Err(format!("{text:?} is neither a name nor an IPv4 or IPv6 address"));
    }
    Ok(Address::Remote(text.to_owned()))
}

/// A login name.
pub(crate) fn user(text: &str) -> Result<String, String> {
    check_word(text, "._-+$").map(|()| text.to_owned())
}

/// What `ssh -J` takes: `[user@]host[:port]`, several with commas.
pub(crate) fn jump(text: &str) -> Result<String, String> {
    for hop in text.split(',') {
        check_word(hop, ".:_-@[]%+")?;
        if hop.contains("@-") || hop.starts_with('@') || hop.ends_with('@') {
            return Err(format!("{hop:?} is not of the form [user@]host[:port]"));
        }
    }
    Ok(text.to_owned())
}

/// A name to resolve.
pub(crate) fn dns_name(text: &str) -> Result<String, String> {
    check_word(text, "._-").map(|()| text.to_owned())
}

/// A host name that can be a key of `[hosts]`.
pub(crate) fn host_name(text: &str) -> Result<HostName, String> {
    if RESERVED_HOSTS.contains(&text) {
        return Err(format!("a host cannot be called {text:?}: that word has a meaning of its own"));
    }
    HostName::new(text).map_err(|error| error.to_string())
}

/// A label that hosts carry and `@tag` selects.
pub(crate) fn tag(text: &str) -> Result<String, String> {
    HostName::new(text.strip_prefix('@').unwrap_or(text))
        .map(String::from)
        .map_err(|error| error.to_string().replace("a name", "a tag"))
}

/// An attribute below `nixosConfigurations`.
pub(crate) fn attribute(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("cannot be empty".to_owned());
    }
    let refused = |character: char| character.is_control() || matches!(character, '"' | '\\' | '$');
    match text.chars().find(|character| refused(*character)) {
        Some(character) => Err(format!("{text:?} holds {character:?}, which cannot stand here")),
        None => Ok(text.to_owned()),
    }
}

/// A unit name; one without a suffix is a service, as for systemctl.
pub(crate) fn unit(text: &str) -> Result<String, String> {
    check_word(text, ":_.\\@-")?;
    let name = match UNIT_SUFFIXES.iter().any(|suffix| text.ends_with(suffix)) {
        true => text.to_owned(),
        false => format!("{text}.service"),
    };
    if name.len() > LONGEST_UNIT {
        return Err(format!("a unit name has at most {LONGEST_UNIT} characters"));
    }
    if UNIT_SUFFIXES.contains(&name.as_str()) {
        return Err(format!("{text:?} is a suffix without a name"));
    }
    if name.contains("@.") {
        return Err(format!("{text:?} is a template; name an instance of it, for example \"getty@tty1\""));
    }
    Ok(name)
}

/// The URL of a health check, http or https.
pub(crate) fn http_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{:?} is neither http nor https", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the URL names no host".to_owned());
    }
    Ok(text.to_owned())
}

/// The URL of a binary cache. Nix separates them by white space.
pub(crate) fn substituter_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err("a URL cannot hold white space".to_owned());
    }
    if matches!(url.scheme(), "http" | "https") && url.host_str().is_none_or(str::is_empty) {
        return Err("the URL names no host".to_owned());
    }
    Ok(text.to_owned())
}

/// The public key of a binary cache, `NAME:BASE64`.
pub(crate) fn public_key(text: &str) -> Result<String, String> {
    let form = || format!("{text:?} is not of the form \"NAME:BASE64\", as nix-store prints a public key");
    let (name, key) = text.split_once(':').ok_or_else(form)?;
    let plain = |text: &str, extra: &str| {
        !text.is_empty()
            && text.chars().all(|character| character.is_ascii_alphanumeric() || extra.contains(character))
    };
    if !plain(name, "._-") || name.starts_with('-') || !plain(key, "+/=") {
        return Err(form());
    }
    Ok(text.to_owned())
}

/// The address of a TCP check, `host:port`.
pub(crate) fn tcp_address(text: &str) -> Result<String, String> {
    let form = || format!("{text:?} is not of the form \"host:port\" or \"[address]:port\"");
    let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
    if port.parse::<u16>().ok().filter(|port| *port > 0).is_none() {
        return Err(form());
    }
    match host.strip_prefix('[').map(|inner| inner.strip_suffix(']')) {
        Some(Some(inner)) => check_word(inner, ".:_-%")?,
        Some(None) => return Err(form()),
        None if host.contains(':') => return Err(form()),
        None => check_word(host, "._-")?,
    }
    Ok(text.to_owned())
}

/// One argument of a command on the host.
pub(crate) fn argument(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("an argument cannot hold a NUL character".to_owned());
    }
    Ok(text.to_owned())
}

/// The database of the fleet; the file of SQLite becomes absolute. Messages
/// name the scheme and nothing more, because the rest may hold a password.
pub(crate) fn database_url(text: &str, anchors: Anchors<'_>) -> Result<Secret, String> {
    match text.split_once(':') {
        Some(("postgres" | "postgresql", rest)) if rest.len() > "//".len() && rest.starts_with("//") => {
            Ok(Secret::new(text))
        }
        Some(("sqlite", rest)) if !rest.is_empty() => {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
            if path == ":memory:" {
                return Err("a database in memory would forget every run".to_owned());
            }
            Ok(Secret::new(format!("sqlite:{}{query}", anchors.path(path)?.display())))
        }
        Some((scheme, _)) if scheme.chars().all(|character| character.is_ascii_alphanumeric()) => {
            Err(format!("a database is \"sqlite:FILE\" or \"postgres://…\", not \"{scheme}:…\""))
        }
        _ => Err("a database is \"sqlite:FILE\" or \"postgres://…\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_names_or_numbers_and_never_options() {
        for text in ["p620", "p620.lan", "10.0.0.1", "fe80::1%eth0", "::1", "localhost", "a_b"] {
            assert_eq!(address(text), Ok(Address::Remote(text.to_owned())), "{text}");
        }
        assert_eq!(address("local"), Ok(Address::Here));
        for text in ["", "-oProxyCommand=x", "a b", "a\nb", "a;b", "ä", "p%h", "a:b", "$(x)", "a\"b"] {
            assert!(address(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn an_address_with_more_than_an_address_says_where_the_rest_belongs() {
        for (text, part) in [
            ("root@p620", "address = \"p620\" and user = \"root\""),
            ("p620:2222", "address = \"p620\" and port = 2222"),
            ("[::1]:22", "address = \"::1\" and port = 22"),
            ("[::1]", "without brackets: \"::1\""),
            ("ssh://p620", "is a URL"),
        ] {
            let reason = address(text).unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }

    #[test]
    fn users_jumps_and_names_cannot_carry_options_or_spaces() {
        assert!(user("deploy").is_ok() && user("machine$").is_ok());
        assert!(user("-l").is_err() && user("a b").is_err() && user("a@b").is_err());
        assert!(jump("bastion").is_ok() && jump("ada@gate:2222,[::1]:22").is_ok());
        assert!(
            jump("-oX").is_err() && jump("a,-b").is_err() && jump("a,,b").is_err() && jump("u@-x").is_err()
        );
        assert!(dns_name("cache.nixos.org").is_ok() && dns_name("-x").is_err());
        assert!(host_name("p620").is_ok() && host_name("all").is_err() && host_name("a/b").is_err());
        assert_eq!(tag("@server").as_deref(), Ok("server"));
    }

    #[test]
    fn units_get_their_suffix_and_templates_are_refused() {
        assert_eq!(unit("sshd").as_deref(), Ok("sshd.service"));
        assert_eq!(unit("a\\x2db.mount").as_deref(), Ok("a\\x2db.mount"));
        assert_eq!(unit("getty@tty1").as_deref(), Ok("getty@tty1.service"));
        for text in ["", "-x", "a b", ".service", "getty@", "a/b", "a;b", &"x".repeat(300)] {
            assert!(unit(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn checks_take_real_urls_and_host_and_port() {
        assert!(http_url("http://p620.lan:3001/api/health").is_ok());
        for text in ["p620.lan/x", "ftp://a", "http://", "http:// a"] {
            assert!(http_url(text).is_err(), "{text:?} was accepted");
        }
        assert!(tcp_address("p620:5432").is_ok() && tcp_address("[::1]:22").is_ok());
        for text in ["p620", "p620:", "p620:0", "p620:99999", "::1:22", "-x:1", "[::1:22"] {
            assert!(tcp_address(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn binary_caches_are_urls_and_keys_without_white_space() {
        for text in
            ["https://cache.example.org", "http://10.0.0.1:5000/x?priority=10", "s3://bucket", "file:///mnt"]
        {
            assert!(substituter_url(text).is_ok(), "{text}");
        }
        for text in ["cache.example.org", "https://", "http://a b", "https://a\n"] {
            assert!(substituter_url(text).is_err(), "{text:?} was accepted");
        }
        assert!(public_key("cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=").is_ok());
        for text in ["", "abc", "name:", ":key", "a b:c", "name:se cret", "-x:y"] {
            assert!(public_key(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn paths_start_at_the_folder_of_the_file_or_at_home() {
        let anchors = Anchors { directory: Path::new("/cfg"), home: Some(Path::new("/home/ada")) };
        assert_eq!(anchors.path("keys/id"), Ok("/cfg/keys/id".into()));
        assert_eq!(anchors.path("/abs"), Ok("/abs".into()));
        assert_eq!(anchors.path("~/.ssh/id"), Ok("/home/ada/.ssh/id".into()));
        assert!(anchors.path("~bob/x").is_err() && anchors.path("a\nb").is_err() && anchors.path("").is_err());
        assert!(Anchors { home: None, ..anchors }.path("~/x").is_err());
    }

    #[test]
    fn a_refused_database_url_does_not_show_its_password() {
        let anchors = Anchors { directory: Path::new("/cfg"), home: None };
        let read = |text: &str| database_url(text, anchors).map(|url| url.reveal().to_owned());
        assert_eq!(read("sqlite:fleet.db?mode=rwc").as_deref(), Ok("sqlite:/cfg/fleet.db?mode=rwc"));
        assert_eq!(read("sqlite:///var/fleet.db").as_deref(), Ok("sqlite:/var/fleet.db"));
        assert_eq!(read("postgres://a:b@c/d").as_deref(), Ok("postgres://a:b@c/d"));
        for text in ["mysql://ada:hunter2@db/x", "hunter2", "ada@hunter2:x", "sqlite:", "postgres:x"] {
            let reason = read(text).unwrap_err();
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
