//! Which hosts are meant: names, globs, `@tag` and `all`.
//!
//! Invariant: the result has the order of hosts.toml and no host twice, in
//! whatever order and however often hosts were asked for.

use globset::{GlobBuilder, GlobMatcher};

use crate::model::{Failure, FailureClass, HostName, HostSpec};
use crate::settings::nearest;

/// Every host of the file.
const ALL: &str = "all";
/// How many names an error lists.
const LISTED: usize = 20;

/// Why no hosts could be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectionError {
    /// Nothing was asked for.
    #[error("no host was named")]
    Nothing {
        /// Every host there is.
        hosts: Vec<String>,
    },
    /// A name is not in the file.
    #[error("no host is called {name:?}")]
    UnknownHost {
        /// What was asked for.
        name: String,
        /// The most similar name.
        near: Option<String>,
        /// Every host there is.
        hosts: Vec<String>,
    },
    /// No host carries a tag.
    #[error("no host carries the tag {tag:?}")]
    UnknownTag {
        /// What was asked for.
        tag: String,
        /// The most similar tag.
        near: Option<String>,
        /// Every tag there is.
        tags: Vec<String>,
    },
    /// No host matches a glob.
    #[error("no host matches {glob:?}")]
    EmptyGlob {
        /// What was asked for.
        glob: String,
        /// Every host there is.
        hosts: Vec<String>,
    },
    /// `--limit` and `--skip` leave no host.
    #[error("no host is left: none of the named ones is within --limit and not skipped")]
    NothingLeft {
        /// The hosts that were named.
        hosts: Vec<String>,
    },
    /// A glob cannot be read.
    #[error("{glob:?} is no glob")]
    BadGlob {
        /// What was asked for.
        glob: String,
        /// Why.
        #[source]
        source: globset::Error,
    },
}

impl SelectionError {
    fn hints(&self) -> Vec<String> {
        let did_you_mean = |near: &Option<String>| near.as_ref().map(|near| format!("did you mean {near:?}?"));
        let (first, second) = match self {
            Self::Nothing { hosts } => (
                Some("name a host, a glob, @tag, or `all`".to_owned()),
                Some(format!("hosts: {}", list(hosts))),
            ),
            Self::UnknownHost { near, hosts, .. } => {
                (did_you_mean(near), near.is_none().then(|| format!("hosts: {}", list(hosts))))
            }
            Self::UnknownTag { near, tags, .. } if !tags.is_empty() => {
                (did_you_mean(near), near.is_none().then(|| format!("tags: {}", list(tags))))
            }
            Self::UnknownTag { .. } => (Some("no host of this file carries any tag".to_owned()), None),
            Self::EmptyGlob { hosts, .. } => (Some(format!("hosts: {}", list(hosts))), None),
            Self::NothingLeft { hosts } => (Some(format!("named: {}", list(hosts))), None),
            Self::BadGlob { .. } => (None, None),
        };
        first.into_iter().chain(second).collect()
    }
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        let mut failure = Failure::from_error(FailureClass::Usage, &error);
        failure.hints = error.hints();
        failure
    }
}

fn list(names: &[String]) -> String {
    match names.len().checked_sub(LISTED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..LISTED].join(", ")),
        _ => names.join(", "),
    }
}

/// The hosts that are asked for.
pub(crate) fn select(hosts: &[HostSpec], asked: &[String]) -> Result<Vec<HostName>, SelectionError> {
    let names = || hosts.iter().map(|host| host.name.to_string()).collect();
    if asked.is_empty() {
        return Err(SelectionError::Nothing { hosts: names() });
    }
    let mut selected = vec![false; hosts.len()];
    for word in asked {
        let mut found = false;
        let wanted = Wanted::read(word)?;
        for (host, selected) in hosts.iter().zip(&mut selected) {
            if wanted.matches(host) {
                *selected = true;
                found = true;
            }
        }
        if !found {
            return Err(wanted.not_found(hosts));
        }
    }
    let chosen = hosts.iter().zip(selected).filter(|(_, selected)| *selected);
    Ok(chosen.map(|(host, _)| host.name.clone()).collect())
}

/// The hosts that are asked for, of those only what `limit` names (everything
/// when it is empty), without what `skip` names.
pub(crate) fn select_within(
    hosts: &[HostSpec],
    asked: &[String],
    limit: &[String],
    skip: &[String],
) -> Result<Vec<HostName>, SelectionError> {
    let named = |words: &[String]| match words.is_empty() {
        true => Ok(None),
        false => select(hosts, words).map(Some),
    };
    let (limit, skip) = (named(limit)?, named(skip)?);
    let asked = select(hosts, asked)?;
    let is_left = |name: &&HostName| {
        limit.as_ref().is_none_or(|limit| limit.contains(name))
            && !skip.as_ref().is_some_and(|skip| skip.contains(name))
    };
    let left: Vec<HostName> = asked.iter().filter(is_left).cloned().collect();
    match left.is_empty() {
        true => Err(SelectionError::NothingLeft { hosts: asked.into_iter().map(String::from).collect() }),
        false => Ok(left),
    }
}

/// Refuses words that select no host at all: most likely they are misspelt.
pub(crate) fn known(hosts: &[HostSpec], words: &[String]) -> Result<(), SelectionError> {
    words.iter().try_for_each(|word| select(hosts, std::slice::from_ref(word)).map(|_| ()))
}

/// One word of the selection.
pub(super) enum Wanted<'a> {
    All,
    Tag(&'a str),
    Glob(&'a str, GlobMatcher),
    Name(&'a str),
}

impl<'a> Wanted<'a> {
    /// Reads a word.
    pub(super) fn read(word: &'a str) -> Result<Self, SelectionError> {
        if word == ALL {
            return Ok(Self::All);
        }
        if let Some(tag) = word.strip_prefix('@') {
            return Ok(Self::Tag(tag));
        }
        if !word.contains(['*', '?', '[', '{']) {
            return Ok(Self::Name(word));
        }
        match GlobBuilder::new(word).build() {
            Ok(glob) => Ok(Self::Glob(word, glob.compile_matcher())),
            Err(source) => Err(SelectionError::BadGlob { glob: word.to_owned(), source }),
        }
    }

    /// Whether a host is meant.
    pub(super) fn matches(&self, host: &HostSpec) -> bool {
        match self {
            Self::All => true,
            Self::Tag(tag) => host.tags.iter().any(|other| other == tag),
            Self::Glob(_, glob) => glob.is_match(host.name.as_str()),
            Self::Name(name) => host.name.as_str() == *name,
        }
    }

    fn not_found(&self, hosts: &[HostSpec]) -> SelectionError {
        let names: Vec<String> = hosts.iter().map(|host| host.name.to_string()).collect();
        let near =
            |word: &str, known: &[String]| nearest(word, known.iter().map(String::as_str)).map(str::to_owned);
        match self {
            Self::All => SelectionError::Nothing { hosts: names },
            Self::Tag(tag) => {
                let mut tags: Vec<String> = hosts.iter().flat_map(|host| host.tags.clone()).collect();
                tags.sort();
                tags.dedup();
                let near = near(tag, &tags).map(|tag| format!("@{tag}"));
                SelectionError::UnknownTag { tag: (*tag).to_owned(), near, tags }
            }
            Self::Glob(glob, _) => SelectionError::EmptyGlob { glob: (*glob).to_owned(), hosts: names },
            Self::Name(name) => {
                // A person may leave out the `@`.
                let is_tag = hosts.iter().any(|host| host.tags.iter().any(|tag| tag == name));
                let near = if is_tag { Some(format!("@{name}")) } else { near(name, &names) };
                SelectionError::UnknownHost { name: (*name).to_owned(), near, hosts: names }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet() -> Vec<HostSpec> {
        [("p620", "server"), ("p510", "server"), ("razer", "laptop"), ("samsung", "laptop")]
            .map(|(name, tag)| {
                let mut host = HostSpec::with_defaults(HostName::new(name).unwrap());
                host.tags.push(tag.to_owned());
                host
            })
            .into()
    }

    fn selected(asked: &[&str]) -> Result<Vec<String>, SelectionError> {
        let asked: Vec<String> = asked.iter().map(|word| (*word).to_owned()).collect();
        Ok(select(&fleet(), &asked)?.into_iter().map(String::from).collect())
    }

    #[test]
    fn names_globs_tags_and_all_select_in_the_order_of_the_file() {
        assert_eq!(selected(&["samsung", "p620"]).unwrap(), ["p620", "samsung"]);
        assert_eq!(selected(&["p*", "p510", "@server"]).unwrap(), ["p620", "p510"]);
        assert_eq!(selected(&["{razer,p5?0}"]).unwrap(), ["p510", "razer"]);
        assert_eq!(selected(&["all"]).unwrap(), ["p620", "p510", "razer", "samsung"]);
    }

    #[test]
    fn limit_keeps_and_skip_takes_away() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let left = |asked: &str, limit: &str, skip: &str| {
            let left = select_within(&fleet(), &words(asked), &words(limit), &words(skip));
            left.map(|hosts| hosts.into_iter().map(String::from).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(left("all", "", "").unwrap(), "p620 p510 razer samsung");
        assert_eq!(left("all", "@server razer", "").unwrap(), "p620 p510 razer");
        assert_eq!(left("all", "", "@laptop p5*").unwrap(), "p620");
        assert_eq!(left("p620 razer", "@laptop", "samsung").unwrap(), "razer");
        let hosts = vec!["p620".to_owned()];
        assert_eq!(left("p620", "@laptop", ""), Err(SelectionError::NothingLeft { hosts }));
        // A misspelt word would silently deploy to more hosts than were meant.
        assert!(left("all", "", "razor").unwrap_err().to_string().contains("\"razor\""));
        assert!(known(&fleet(), &words("@server p*")).is_ok() && known(&fleet(), &words("@servers")).is_err());
    }

    #[test]
    fn what_selects_nothing_names_the_nearest() {
        let hints = |asked: &[&str]| {
            let failure = Failure::from(selected(asked).unwrap_err());
            (failure.message, failure.hints.join(" | "))
        };
        let expect = |message: &str, hints: &str| (message.to_owned(), hints.to_owned());
        let hosts = "hosts: p620, p510, razer, samsung";
        assert_eq!(
            hints(&[]),
            expect("no host was named", &format!("name a host, a glob, @tag, or `all` | {hosts}"))
        );
        assert_eq!(hints(&["razor"]), expect("no host is called \"razor\"", "did you mean \"razer\"?"));
        assert_eq!(hints(&["laptop"]), expect("no host is called \"laptop\"", "did you mean \"@laptop\"?"));
        assert_eq!(hints(&["web"]), expect("no host is called \"web\"", hosts));
        assert_eq!(
            hints(&["@servers"]),
            expect("no host carries the tag \"servers\"", "did you mean \"@server\"?")
        );
        assert_eq!(hints(&["@x"]), expect("no host carries the tag \"x\"", "tags: laptop, server"));
        assert_eq!(hints(&["p620", "web-*"]), expect("no host matches \"web-*\"", hosts));
        assert_eq!(hints(&["p[62"]).0, "\"p[62\" is no glob");
    }

    #[test]
    fn a_large_fleet_is_not_listed_whole() {
        let names: Vec<String> = (0..30).map(|number| format!("h{number}")).collect();
        assert!(list(&names).ends_with("h19 and 10 more"));
        assert!(list(&names[..20]).ends_with("h18, h19"));
    }
}
