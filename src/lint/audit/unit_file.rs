//! Unit files of services, with their drop-ins, as systemd.syntax(7) reads
//! them: the `[Service]` section of the file and then of each drop-in in the
//! order of their names; an empty assignment takes back what was set before.

use std::collections::BTreeMap;

/// The `[Service]` section of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    directives: BTreeMap<String, Vec<String>>,
}

impl Service {
    /// Reads a unit file and then its drop-ins over it.
    pub fn read<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut service = Self::default();
        texts.into_iter().for_each(|text| service.add(text));
        service
    }

    fn add(&mut self, text: &str) {
        let mut in_service = false;
        let mut open = String::new();
        for line in text.lines() {
            let line = line.trim();
            // A comment between the lines of one assignment is left out of it.
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(begun) = line.strip_suffix('\\') {
                open.push_str(begun);
                open.push(' ');
                continue;
            }
            let whole = std::mem::take(&mut open) + line;
            if let Some(section) = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                in_service = section == "Service";
            } else if in_service && let Some((key, value)) = whole.split_once('=') {
                self.assign(key.trim(), value.trim());
            }
        }
    }

    fn assign(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            self.directives.remove(key);
        } else {
            self.directives.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }

    /// The last value of a directive.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.directives.get(key)?.last().map(String::as_str)
    }

    /// Whether a directive is set to something that means yes, or to a mode
    /// such as `strict`.
    pub fn is_on(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| !matches!(value, "no" | "false" | "0" | "off" | "n" | "f"))
    }

    /// Whether a directive is assigned anything.
    pub fn has(&self, key: &str) -> bool {
        self.directives.contains_key(key)
    }

    /// Whether it starts a program.
    pub fn starts_something(&self) -> bool {
        self.has("ExecStart")
    }

    /// Whether it runs once and ends.
    pub fn is_oneshot(&self) -> bool {
        self.value("Type") == Some("oneshot")
    }

    /// Whether its programs run as root: no user of their own and none made for it.
    pub fn runs_as_root(&self) -> bool {
        !self.is_on("DynamicUser") && self.value("User").is_none_or(is_root)
    }

    /// Whether it says so itself.
    pub fn says_root(&self) -> bool {
        !self.is_on("DynamicUser") && self.value("User").is_some_and(is_root)
    }
}

fn is_root(user: &str) -> bool {
    matches!(user, "root" | "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_come_over_the_file_and_an_empty_assignment_takes_back() {
        let service = Service::read([
            "# a comment\n[Unit]\nUser=nobody\n[Service]\nUser=web\nExecStart=/a\nPrivateTmp=yes\n",
            "[Service]\nExecStart=\nExecStart=/b \\\n  --flag\nPrivateTmp=no\nUser=\n",
        ]);
        assert_eq!(service.value("ExecStart"), Some("/b  --flag"));
        assert!(!service.is_on("PrivateTmp") && service.has("PrivateTmp"));
        assert!(service.runs_as_root() && !service.says_root());
    }

    #[test]
    fn a_user_made_for_the_service_is_not_root_whatever_user_says() {
        assert!(!Service::read(["[Service]\nDynamicUser=true\nUser=root\n"]).runs_as_root());
        assert!(!Service::read(["[Service]\nUser=web\n"]).runs_as_root());
        for user in ["root", "0"] {
            let service = Service::read([format!("[Service]\nUser={user}\n").as_str()]);
            assert!(service.runs_as_root() && service.says_root());
        }
    }

    #[test]
    fn broken_text_is_read_as_far_as_it_goes() {
        let service = Service::read(["[Service\nUser=x\n[Service]\nnonsense\n=\nA=1\\\n; c\nB", "\u{0}\\"]);
        assert_eq!(service.value("A"), Some("1 B"));
        assert_eq!(service.value("User"), None);
    }
}
