//! How nixpkgs spells attributes: sets of packages, variants, options, files.
//! Data only; all names are normalised.

/// Suffixes that say which part or build of a package it is.
pub(super) const PART_SUFFIXES: &[&str] = &[
    "backends",
    "bin",
    "client",
    "common",
    "core",
    "daemon",
    "desktop",
    "full",
    "gnome",
    "kernel",
    "minimal",
    "plugins",
    "progs",
    "server",
    "tools",
    "unwrapped",
    "user",
    "utils",
    "workspace",
    "wrapped",
    "x11",
];
/// Suffixes of attributes that are the same package.
pub(super) const VARIANT_SUFFIXES: &[&str] = &[
    "-wayland",
    "-x11",
    "-unwrapped",
    "-wrapped",
    "-unstable",
    "-latest",
    "-stable",
    "-nox",
    "-gtk",
    "-gtk2",
    "-gtk3",
    "-gtk4",
    "-qt",
    "-qt4",
    "-qt5",
    "-qt6",
    "-full",
    "-minimal",
    "-small",
    "-bin",
    "-esr",
    "-fhs",
    "-git",
    "-headless",
    "-lts",
    "-with-plugins",
    "-daemon",
    "-module",
    "-modules",
    "-driver",
    "-drivers",
    "-service",
];
/// Sets of packages that are attributes and do not end in `Packages`.
pub(super) const SETS: &[&str] = &[
    "cinnamon",
    "deepin",
    "emacs-packages",
    "enlightenment",
    "gnome",
    "gnome3",
    "i686linux",
    "libsforqt5",
    "libsforqt515",
    "lxqt",
    "mate",
    "pantheon",
    "pkgs",
    "pkgscross",
    "pkgsi686linux",
    "pkgsmusl",
    "pkgsstatic",
    "plasma5",
    "plasma6",
    "qt5",
    "qt6",
    "texlive",
    "unixtools",
    "vimplugins",
    "vscode-extensions",
    "xfce",
    "xorg",
    "nixpkgs",
    "kde",
    "kdeapplications",
    "kdegear",
    "kdeframeworks",
    "haskell",
    "gst-all-1",
    "netbsd",
    "windows",
];
/// Sets of builds of one package.
pub(super) const FLAVOURS: &[(&str, &str)] = &[
    ("texlive", "texlive"),
    ("winepackages", "wine"),
    ("winewowpackages", "wine"),
    ("winewow64packages", "wine"),
];
/// Interpreters whose packages' names begin with theirs.
pub(super) const INTERPRETERS: &[&str] = &["python", "perl", "ruby", "luajit", "lua", "ocaml"];
/// The first words of NixOS options; the next ones name a module.
pub(super) const OPTION_ROOTS: &[&str] = &[
    "services",
    "programs",
    "boot",
    "networking",
    "hardware",
    "virtualisation",
    "security",
    "environment",
    "fonts",
];
/// Attributes of a package that are no packages.
pub(super) const OF_A_PACKAGE: &[&str] =
    &["dev", "fhs", "lib", "out", "override", "overrideattrs", "passthru", "src", "tests", "withpackages"];
/// Suffixes of units and launchers: the file is called as its package.
pub(super) const UNIT_SUFFIXES: &[&str] =
    &[".service", ".socket", ".timer", ".desktop", ".target", ".mount", ".path"];
/// Suffixes of files, which name no package.
pub(super) const FILE_SUFFIXES: &[&str] = &[
    ".py", ".nix", ".sh", ".c", ".h", ".cc", ".cpp", ".rs", ".conf", ".cfg", ".log", ".txt", ".json", ".yaml",
    ".toml", ".el", ".pl", ".html", ".patch", ".iso", ".img", ".xml", ".lock", ".ko", ".efi", ".pdf", ".png",
    ".rules",
];
/// Interpreters whose attributes run major and minor version together.
pub(super) const TWO_PART_DIGITS: &[&str] = &["python", "php", "lua", "ruby"];
