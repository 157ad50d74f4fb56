//! Every way a hosts.toml can be wrong, and what is said about it.

use crate::program::Place;

/// The text below `version = 1`, and lines that must be printed.
const TABLE: &[(&str, &[&str])] = &[
    // Syntax.
    ("[hosts.p620\n", &["error: hosts.toml:2:12: "]),
    ("[hosts.p620]\nuser = \n", &["error: hosts.toml:3:8: "]),
    (
        "[hosts.p620]\nuser = \"a\"\nuser = \"b\"\n",
        &["error: hosts.toml:4:1: duplicate key", "  4 | user = \"b\""],
    ),
    // Keys.
    (
        "[hosts.p620]\nadress = \"x\"\n",
        &[
            "error: hosts.toml:3:1: unknown key `adress` in [hosts.p620]",
            "    |",
            "  3 | adress = \"x\"",
            "    | ^^^^^^",
            "hint: did you mean `address`?",
        ],
    ),
    (
        "[hosts.x]\n[default]\n",
        &["error: hosts.toml:3:2: unknown key `default` in the file", "hint: did you mean `defaults`?"],
    ),
    (
        "[hosts.x]\nconfirm_timeout = \"60s\"\n",
        &[
            "error: hosts.toml:3:1: unknown key `confirm_timeout` in [hosts.x]",
            "hint: `confirm_timeout` belongs in [….rollback]",
        ],
    ),
    (
        "[hosts.x.rollback]\nautoo = true\n",
        &["error: hosts.toml:3:1: unknown key `autoo` in [hosts.x.rollback]"],
    ),
    (
        "[tags.a]\ntags = [\"b\"]\n[hosts.x]\n",
        &["error: hosts.toml:3:8: a tag cannot carry tags; list them at the hosts"],
    ),
    // Types.
    ("hosts = 3\n", &["error: hosts.toml:2:9: `hosts` is a table, written as [hosts.NAME], found a number"]),
    (
        "[hosts]\np620 = \"10.0.0.1\"\n",
        &["error: hosts.toml:3:8: `p620` is a table, written as [hosts.p620], found a text"],
    ),
    (
        "[hosts.x]\nport = \"22\"\n",
        &["error: hosts.toml:3:8: `port` is a number from 1 to 65535, found a text"],
    ),
    ("[hosts.x]\nport = 0\n", &["error: hosts.toml:3:8: `port` is a number from 1 to 65535, found 0"]),
    (
        "[hosts.x]\ntags = \"a\"\n",
        &["error: hosts.toml:3:8: `tags` is a list like [\"…\", \"…\"], found a text"],
    ),
    (
        "[hosts.x]\nuse_substitutes = \"yes\"\n",
        &["error: hosts.toml:3:19: `use_substitutes` is true or false, found a text"],
    ),
    // Values.
    (
        "[hosts.x]\nelevate = \"sudoo\"\n",
        &[
            "error: hosts.toml:3:11: `elevate`: \"sudoo\" is not one of auto, none, sudo, doas or run0; did you mean \"sudo\"?",
        ],
    ),
    (
        "[hosts.x]\nnetwork = [\"ssh\", \"tailscal\"]\n",
        &[
            "error: hosts.toml:3:19: `network`: \"tailscal\" is not one of ssh, dns, tailscale or route; did you mean \"tailscale\"?",
        ],
    ),
    (
        "[hosts.x]\naddress = \"-oProxyCommand=id\"\n",
        &[
            "error: hosts.toml:3:11: `address`: \"-oProxyCommand=id\" begins with '-' and could be taken for an option",
        ],
    ),
    (
        "[hosts.x]\naddress = \"root@p620\"\n",
        &[
            "error: hosts.toml:3:11: `address`: write the user by itself: address = \"p620\" and user = \"root\"",
        ],
    ),
    (
        "[hosts.x]\nuser = \"a b\"\n",
        &["error: hosts.toml:3:8: `user`: \"a b\" holds ' ', which cannot stand here"],
    ),
    (
        "[hosts.x]\ncritical_services = [\"-x\", \"a b.service\"]\n",
        &["error: hosts.toml:3:22: ", "error: hosts.toml:3:28: "],
    ),
    (
        "[hosts.\"a/b\"]\n",
        &[
            "error: hosts.toml:2:8: \"a/b\" has '/': letters, digits, '-', '_' and '.' may be used, a letter or digit first",
        ],
    ),
    (
        "[hosts.all]\n",
        &["error: hosts.toml:2:8: a host cannot be called \"all\": that word has a meaning of its own"],
    ),
    (
        "[hosts.x.rollback]\nconfirm_timeout = \"soon\"\n",
        &[
            "error: hosts.toml:3:19: `confirm_timeout`: \"soon\" is no duration; write it like \"60s\", \"10m\" or \"1h30m\"",
        ],
    ),
    (
        "[hosts.x.timeouts]\nconnect = \"2h\"\n",
        &["error: hosts.toml:3:11: `connect`: \"2h\" is out of bounds; from 1s to 1h are possible"],
    ),
    (
        "[hosts.x]\n[rollout]\nmax_parallel = 0\n",
        &["error: hosts.toml:4:16: `max_parallel` is a number from 1 to 1024, found 0"],
    ),
    (
        "[hosts.x]\nidentity_file = \"~bob/id\"\n",
        &[
            "error: hosts.toml:3:17: `identity_file`: \"~bob/id\": only \"~/…\" is expanded; write the whole path",
        ],
    ),
    (
        "flake = \".#p620\"\n[hosts.x]\n",
        &[
            "error: hosts.toml:2:9: `flake`: \".#p620\" names an output; write \".\" alone, hosts are nixosConfigurations.NAME of it (a host's `attribute` names another)",
        ],
    ),
    (
        "flake = \"./none\"\n[hosts.x]\n",
        &["error: hosts.toml:2:9: `flake`: there is no flake.nix in [PLACE]/work/none"],
    ),
    // Checks.
    (
        "[hosts.x]\n[[hosts.x.checks]]\nname = \"web\"\n",
        &["error: hosts.toml:3:1: a check needs one of `http`, `tcp` and `command`"],
    ),
    (
        "[[hosts.x.checks]]\nhttp = \"http://a\"\ntcp = \"a:1\"\n",
        &["error: hosts.toml:4:7: a check asks one thing; `tcp` is too much"],
    ),
    (
        "[[hosts.x.checks]]\nhttp = \"p620/x\"\n",
        &["error: hosts.toml:3:8: `http`: is no URL: relative URL without a base"],
    ),
    (
        "[[hosts.x.checks]]\ntcp = \"a:1\"\nexpect_status = 200\n",
        &["error: hosts.toml:4:17: `expect_status` belongs to a check with `http`"],
    ),
    ("[[hosts.x.checks]]\ncommand = []\n", &["error: hosts.toml:3:11: `command` names no program"]),
    (
        "[[hosts.x.checks]]\ntcp = \"a:1\"\n[[hosts.x.checks]]\ntcp = \"a:1\"\n",
        &["error: hosts.toml:4:1: two checks are called \"a:1\"; give each its own `name`"],
    ),
    // References.
    (
        "[hosts.x]\ndepends_on = [\"p602\"]\n[hosts.p620]\n",
        &["error: hosts.toml:3:15: `depends_on`: no host is called \"p602\"", "hint: did you mean \"p620\"?"],
    ),
    (
        "[hosts.a]\ndepends_on = [\"b\"]\n[hosts.b]\ndepends_on = [\"a\"]\n",
        &["error: hosts.toml:3:15: `depends_on` goes in a circle: a → b → a"],
    ),
    // The file as a whole.
    ("", &["error: hosts.toml: the file names no host"]),
];

#[test]
fn every_mistake_is_named_with_its_place() {
    for (text, lines) in TABLE {
        let outcome = Place::with_hosts(text).run(&["all", "--dry-run"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{text}\n{}", outcome.stderr);
        for line in *lines {
            let found = outcome.stderr.lines().any(|printed| printed.starts_with(line));
            assert!(found, "{text}\nlacks: {line}\n{}", outcome.stderr);
        }
    }
}

#[test]
fn all_mistakes_of_a_file_come_at_once_in_its_order() {
    let place = Place::with_hosts(
        "flak = \".\"\n[hosts.p620]\nprot = 22\nelevate = \"sud\"\n[hosts.razer]\ndepends_on = [\"p260\"]\n[rolout]\n",
    );
    let stderr = place.run(&["all", "--dry-run"]).stderr;
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(
        errors,
        [
            "error: hosts.toml:2:1: unknown key `flak` in the file",
            "error: hosts.toml:4:1: unknown key `prot` in [hosts.p620]",
            "error: hosts.toml:5:11: `elevate`: \"sud\" is not one of auto, none, sudo, doas or run0; did you mean \"sudo\"?",
            "error: hosts.toml:7:15: `depends_on`: no host is called \"p260\"",
            "error: hosts.toml:8:2: unknown key `rolout` in the file",
        ]
    );
}

#[test]
fn a_file_that_is_no_text_file_is_refused_with_its_reason() {
    let rows: [(&[u8], &str); 5] = [
        (b"", "hosts.toml: the file is empty"),
        (b"version = 1\n[hosts.p\xff]\n", "hosts.toml:2: the file is not UTF-8 text"),
        (b"\0\0\0\0", "hosts.toml:1:1: "),
        (
            b"version = 9\nnew_key = 1\n",
            "hosts.toml:1:11: the file has version 9; this nix-deploy reads version 1",
        ),
        (&[b'#'; 10 << 20], "hosts.toml is larger than 4.0 MiB"),
    ];
    for (bytes, part) in rows {
        let place = Place::with_hosts("");
        place.write("hosts.toml", bytes);
        let outcome = place.run(&["all"]);
        assert_eq!(outcome.code, 2, "{part}");
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    let folder = Place::new();
    folder.write("hosts.toml/x", "");
    let outcome = folder.run(&["all"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("hosts.toml is a folder, not a file"), "{}", outcome.stderr);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let place = Place::with_hosts("");
    place.write("hosts.toml", "\u{feff}version = 1\r\n[hosts.p620]\r\nprot = 1\r\n");
    let outcome = place.run(&["all", "--dry-run"]);
    assert!(outcome.stderr.starts_with("error: hosts.toml:3:1: unknown key `prot`"), "{}", outcome.stderr);
    place.write("hosts.toml", "\u{feff}version = 1\r\n[hosts.p620]\r\nport = 1\r\n");
    assert_eq!(place.run(&["all", "--dry-run"]).code, 0);
}

#[test]
fn no_password_of_the_file_is_printed() {
    for line in [
        "url = \"mysql://ada:hunter2@db/x\"",
        "url = \"hunter2\"",
        "url = [\"postgres://ada:hunter2@db/x\"]",
        "url = \"postgres://ada:hunter2@db/x\" x",
        "url = \"postgres://ada:hunter2@db/x",
        "urll = \"postgres://ada:hunter2@db/x\"",
    ] {
        let outcome = Place::with_hosts(&format!("[hosts.x]\n[database]\n{line}\n")).run(&["all", "--dry-run"]);
        assert_eq!(outcome.code, 2, "{line}");
        assert!(!outcome.stderr.contains("hunter2"), "{line}: {}", outcome.stderr);
    }
}

#[test]
fn control_characters_of_the_file_do_not_reach_the_terminal() {
    let place = Place::with_hosts("[hosts.x]\n\"a\\u001B[2Jb\" = 1\nuser = \"\\u001B]0;x\\u0007y\"\n");
    let stderr = place.run(&["all", "--dry-run"]).stderr;
    assert!(!stderr.contains(['\u{1b}', '\u{7}']), "{stderr:?}");
}
