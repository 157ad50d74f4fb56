//! Which packages and versions titles of issues name.

use super::*;

fn words_at(text: &str, place: Place) -> String {
    let title = Title::parse(text);
    let words = title.words.iter().filter(|word| word.place == place);
    words.map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn templates_of_nixpkgs_are_told_apart() {
    let cases = [
        ("firefox: crashes on start", Place::Template, "firefox"),
        ("nixos/postgres: fails to run", Place::Module, "postgres"),
        ("nixos/modules/services/nginx: x", Place::Module, "nginx"),
        ("plasma-desktop/kwin: kwin crashing", Place::Template, "plasma-desktop kwin"),
        ("gtk3, gtk4: broken", Place::Template, "gtk3 gtk4"),
        ("xorg.{libX11,libXi}: broken", Place::Template, "xorg.libx11 xorg.libxi"),
        ("Build failure: citrix_workspace", Place::Template, "citrix-workspace"),
        ("Build failure: a, b and c", Place::Template, "a b c"),
        ("Build failure: nvidia-x11 on linux 6.10", Place::Template, "nvidia-x11"),
        ("Vulnerability roundup 93: a2ps-4.14: 1 advisory [7.8]", Place::Exact, "a2ps-4.14"),
        ("[kernel] 6.16.9 does not boot", Place::Bracket, "kernel"),
        ("regression: grub fails", Place::Skipped, "regression"),
        ("NixOS 24.05: systemd: fails", Place::Template, "systemd"),
        ("nixosTests.timezone: fails", Place::Skipped, "nixostests.timezone"),
        ("Frequent crashes of the tab bar and more: error", Place::Template, ""),
    ];
    for (text, place, expected) in cases {
        assert_eq!(words_at(text, place), expected, "{text}");
    }
}

#[test]
fn quotations_and_paths_are_no_names() {
    let names = |text: &str| {
        let title = Title::parse(text);
        let words: Vec<String> =
            title.words.into_iter().filter(|word| !word.foreign).map(|word| word.raw).collect();
        words.join(" ")
    };
    assert_eq!(names("fails with \"No such file\" today"), "fails with today");
    assert_eq!(names("the \"firefox\" package"), "the firefox package");
    assert_eq!(names("`nixos-rebuild boot` fails"), "nixos-rebuild fails");
    assert_eq!(names("/etc/cups/cups.conf is old"), "is old");
    assert_eq!(names("5\" display is dark"), "5 display is dark");
    assert_eq!(names("Podman's service"), "podman service");
}

#[test]
fn any_text_gives_a_title() {
    for text in [
        "",
        ":",
        "::",
        "[",
        "[]",
        "`",
        "\"",
        "- -",
        "{",
        "}{",
        "a:",
        "nixos/",
        "/",
        "\u{1b}[31m",
        "{,}:",
        "[[x]] :",
    ] {
        let _ = Title::parse(text);
    }
    let _ = Title::parse(&"x: ".repeat(1000));
}

#[test]
fn releases_of_nixos_are_no_versions() {
    for word in ["24.05", "25.11.20250704.5c724ed", "18.09", "23.11pre", "nixos", "x1"] {
        assert_eq!(version(word), None, "{word}");
    }
    for (word, expected) in [
        ("v1.2", "1.2"),
        ("257.7", "257.7"),
        ("6.17", "6.17"),
        ("112.0+", "112.0+"),
        ("254.x", "254.x"),
        ("24.05.1x", "24.05.1x"),
    ] {
        assert_eq!(version(word).unwrap_or(expected), expected, "{word}");
    }
}
