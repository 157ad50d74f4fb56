//! Known causes of a unit that does not come up, told by what the journal says,
//! each with what to do about it.
//!
//! To add one: a line in [`CAUSES`] and captured journal lines in
//! `tests/fixtures/journal`. Earlier lines of the table are more particular than
//! later ones; of each journal line only the first that fits counts.

use std::collections::BTreeMap;

/// How many suggestions are made at most: more would be guessing.
const MOST: usize = 3;

/// A cause: what a line of the journal has to hold, and what is suggested then.
struct Cause {
    /// One of these, each a list of texts that all have to be there.
    signs: &'static [&'static [&'static str]],
    suggest: fn(&str) -> String,
}

/// Wordings of systemd 247 to 257 and of libc.
static CAUSES: [Cause; 15] = [
    Cause { signs: &[&["Address already in use"], &["EADDRINUSE"]], suggest: port_in_use },
    Cause {
        signs: &[&["bind", "Permission denied"], &["listen", "port", "Permission denied"], &["bind", "EACCES"]],
        suggest: |_| {
            "the port is below 1024 and the unit does not run as root: give it \
             AmbientCapabilities = [ \"CAP_NET_BIND_SERVICE\" ], or a higher port"
                .to_owned()
        },
    },
    Cause {
        signs: &[&["Unable to locate executable", "Permission denied"], &["step EXEC", "Permission denied"]],
        suggest: |line| {
            format!("{} cannot be executed: check ExecStart and its mode", path(line).unwrap_or("the program"))
        },
    },
    Cause {
        signs: &[&["Unable to locate executable"], &["step EXEC"]],
        suggest: |line| {
            format!(
                "{} is not there: check ExecStart; in Nix write \"${{pkgs.NAME}}/bin/…\" or lib.getExe",
                path(line).unwrap_or("the program")
            )
        },
    },
    Cause {
        signs: &[&["Failed to load environment files"]],
        suggest: |_| {
            "a file of EnvironmentFile is missing: is the secret deployed, and before the unit starts? \
             a `-` before the path lets it be missing"
                .to_owned()
        },
    },
    Cause {
        signs: &[&["Failed to set up credentials"], &["step CREDENTIALS"], &["status=243/CREDENTIALS"]],
        suggest: |_| {
            "a file of LoadCredential is missing or cannot be read: is the secret deployed?".to_owned()
        },
    },
    Cause {
        signs: &[
            &["Changing to the requested working directory failed"],
            &["step CHDIR"],
            &["status=200/CHDIR"],
        ],
        suggest: |_| {
            "the WorkingDirectory is not there: let systemd make it with StateDirectory, or add a line to \
             systemd.tmpfiles.rules"
                .to_owned()
        },
    },
    Cause {
        signs: &[
            &["Failed to determine user credentials"],
            &["step USER"],
            &["status=217/USER"],
            &["unknown user"],
        ],
        suggest: |_| {
            "the unit's user is not there: define users.users.NAME with isSystemUser and a group, or set \
             DynamicUser"
                .to_owned()
        },
    },
    Cause {
        signs: &[
            &["Failed to determine group credentials"],
            &["Failed to determine supplementary groups"],
            &["step GROUP"],
            &["status=216/GROUP"],
        ],
        suggest: |_| "a group of the unit is not there: define users.groups.NAME".to_owned(),
    },
    Cause {
        signs: &[&["Failed to set up mount namespacing"], &["step NAMESPACE"], &["status=226/NAMESPACE"]],
        suggest: |line| {
            let what = path(line).map_or_else(String::new, |path| format!(" ({path})"));
            format!(
                "a path of ReadWritePaths, BindPaths or the like is not there{what}: make it with \
                 StateDirectory or systemd.tmpfiles.rules, or put a `-` before it"
            )
        },
    },
    Cause {
        signs: &[
            &["killed by the OOM killer"],
            &["result 'oom-kill'"],
            &["Out of memory"],
            &["Cannot allocate memory"],
        ],
        suggest: |_| {
            "memory ran out: raise MemoryMax of the unit, or free memory on the host; `systemctl status` \
             shows what it used"
                .to_owned()
        },
    },
    Cause {
        signs: &[&["Dependency failed for"], &["result 'dependency'"]],
        suggest: |_| {
            "a unit that it requires failed first: `systemctl list-dependencies UNIT` shows which, mend that one"
                .to_owned()
        },
    },
    Cause {
        signs: &[&["start operation timed out"], &["result 'timeout'"]],
        suggest: |_| {
            "it did not say in time that it is ready: check Type (notify needs sd_notify), or raise \
             TimeoutStartSec"
                .to_owned()
        },
    },
    Cause { signs: &[&["Permission denied"]], suggest: no_permission },
    Cause { signs: &[&["No such file or directory"]], suggest: missing_file },
];

/// How many at the end of the table are the system's general words, which many causes lead to.
const GENERAL: usize = 2;

/// What to do, as far as these lines of the journal tell; the most telling first. A line
/// that is not indented and ends with a colon names the unit of those that follow.
pub(crate) fn suggestions(lines: &[String]) -> Vec<String> {
    let is_name = |line: &String| line.ends_with(':') && !line.starts_with(' ');
    let mut found: Vec<(usize, String)> = lines.split(is_name).flat_map(of_one_unit).collect();
    found.sort_by_key(|(place, _)| *place);
    let mut suggestions: Vec<String> = Vec::new();
    for (_, suggestion) in found {
        if !suggestions.contains(&suggestion) {
            suggestions.push(suggestion);
        }
    }
    suggestions.truncate(MOST);
    suggestions
}

/// The causes that the lines of one unit tell, by their place in the table.
fn of_one_unit(lines: &[String]) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    for line in lines {
        let Some(place) = CAUSES.iter().position(|cause| cause.fits(line)) else { continue };
        // The first line of a cause says most; those that follow repeat it.
        found.entry(place).or_insert_with(|| (CAUSES[place].suggest)(line));
    }
    // What a known cause leads to also ends in the system's general words.
    let general = CAUSES.len() - GENERAL;
    if found.keys().any(|place| *place < general) {
        found.retain(|place, _| *place < general);
    }
    found
}

impl Cause {
    fn fits(&self, line: &str) -> bool {
        self.signs.iter().any(|texts| texts.iter().all(|text| line.contains(text)))
    }
}

fn port_in_use(line: &str) -> String {
    match port(line) {
        Some(port) => {
            format!("port {port} is in use: on the host `ss -ltnp 'sport = :{port}'` says by which program")
        }
        None => "the address is in use: on the host `ss -lntup` says by which program".to_owned(),
    }
}

fn no_permission(line: &str) -> String {
    match path(line) {
        Some(path) => format!(
            "{path} cannot be read or written by the unit's user: check its owner and mode{}",
            secret(path)
        ),
        None => {
            "the unit's user may not do that: check owner and mode of its files, and its hardening".to_owned()
        }
    }
}

fn missing_file(line: &str) -> String {
    match path(line) {
        Some(path) => format!("{path} is not there: is it made before the unit starts?{}", secret(path)),
        None => "a file that it needs is not there: is it made before the unit starts?".to_owned(),
    }
}

/// What else to think of when a path is one of a secret (sops-nix, agenix, NixOps).
fn secret(path: &str) -> &'static str {
    let folders = ["/run/secrets", "/run/agenix", "/run/keys", "/var/lib/sops"];
    match folders.iter().any(|folder| path.starts_with(folder)) {
        true => " (a secret: is it declared for this host, with the unit's user as its owner?)",
        false => "",
    }
}

/// The port number that ends an address in a line: `0.0.0.0:8123`, `([::]:22)`.
fn port(line: &str) -> Option<u16> {
    // Behind the process, whose own colon and number come first.
    let said = line.split_once("]: ").map_or(line, |(_, said)| said);
    let places = said.match_indices(':').map(|(place, _)| &said[place + 1..]);
    let mut numbers = places.filter_map(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse::<u16>().ok()
    });
    numbers.rfind(|port| *port > 0)
}

/// The last absolute path that a line names.
fn path(line: &str) -> Option<&str> {
    let said = line.split_once("]: ").map_or(line, |(_, said)| said);
    let is_end = |character: char| " '\"`:,()[]".contains(character);
    said.split(is_end).rfind(|word| word.starts_with('/') && word.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(log: &str) -> Vec<String> {
        suggestions(&log.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    macro_rules! captured {
        ($name:literal) => {
            of(include_str!(concat!("../../tests/fixtures/journal/", $name, ".log")))
        };
    }

    /// `memory` is worded as in systemd's source; all others were captured from
    /// systemd 257.
    #[test]
    fn what_the_journal_said_of_real_failures_leads_to_their_cause() {
        let cases = [
            (captured!("port-taken"), "port 8123 is in use"),
            (captured!("socket-taken"), "port 22 is in use"),
            (captured!("port-low"), "CAP_NET_BIND_SERVICE"),
            (captured!("missing-program"), "/run/nothing/bin/app is not there"),
            (captured!("not-executable"), "/etc/hostname cannot be executed"),
            (captured!("missing-environment"), "EnvironmentFile"),
            (captured!("missing-credential"), "LoadCredential"),
            (captured!("missing-folder"), "WorkingDirectory"),
            (captured!("missing-file"), "/etc/app/config.toml is not there"),
            (captured!("no-permission"), "/etc/shadow cannot be read"),
            (captured!("unknown-user"), "users.users.NAME"),
            (captured!("unknown-group"), "users.groups.NAME"),
            (captured!("namespace"), "ReadWritePaths"),
            (captured!("slow"), "TimeoutStartSec"),
            (captured!("dependent"), "requires failed first"),
            (captured!("memory"), "memory ran out"),
        ];
        for (suggestions, expected) in cases {
            assert_eq!(suggestions.len(), 1, "{expected}: {suggestions:?}");
            assert!(suggestions[0].contains(expected), "{expected}: {suggestions:?}");
        }
    }

    #[test]
    fn an_ordinary_failure_leads_to_no_guess() {
        let log = "web.service:\n  Nov 21 14:03:42 web[143]: invalid configuration in line 3\n  \
                   Nov 21 14:03:42 systemd[1]: web.service: Main process exited, code=exited, status=1/FAILURE\n";
        assert!(of(log).is_empty());
        assert!(suggestions(&[]).is_empty());
    }

    #[test]
    fn general_words_of_one_unit_count_beside_the_cause_of_another() {
        let lines = "web.service:\n  perl[1]: cannot listen on 0.0.0.0:80: Address already in use\n  \
                     perl[1]: cannot open /run/web: No such file or directory\n\
                     db.service:\n  cat[2]: /etc/shadow: Permission denied";
        let made = of(lines);
        assert!(made[0].contains("port 80 is in use") && made[1].contains("/etc/shadow cannot be read"));
        assert_eq!(made.len(), 2, "{made:?}");
    }

    #[test]
    fn secrets_are_recognised_and_the_list_stays_short() {
        let missing = of("x[1]: open /run/secrets/db-password: No such file or directory");
        assert!(
            missing[0].contains("/run/secrets/db-password") && missing[0].contains("a secret"),
            "{missing:?}"
        );
        let many = "a[1]: Address already in use\nb[1]: step USER\nc[1]: step CHDIR\nd[1]: Permission denied";
        assert_eq!(of(many).len(), MOST);
        assert!(of("a[1]: EADDRINUSE: address in use")[0].contains("ss -lntup"));
    }
}
