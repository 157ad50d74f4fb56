//! Other names of packages: what people and modules call them. Data only.
//!
//! A name on the left stands for those of the packages on the right that are
//! installed. All names are normalised (lower case, `-` for `_`).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// How strongly an alias points at its packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// It is a name of the package, of a program or of a module in it.
    Name,
    /// It names an environment or a whole desktop: a package that is named
    /// beside it is meant instead.
    Family,
}

/// An alias with its packages.
type Alias = (&'static str, Strength, &'static [&'static str]);

use Strength::{Family, Name};

/// The kernel and what is compiled against it.
pub(super) const KERNEL: &str = "linux";

/// Packages with a module that is compiled for each kernel. A title that is
/// about one of them names the kernel only as what it does not work with.
pub(super) const KERNEL_MODULES: &[&str] = &[
    "zfs-kernel",
    "zfs",
    "nvidia-x11",
    "nvidia-open",
    "bcachefs",
    "virtualbox",
    "broadcom-sta",
    "v4l2loopback",
    "rtl8821au",
    "xpadneo",
    "acpi-call",
    "ddcci-driver",
    "evdi",
    "vmware",
    "wireguard",
    "openrazer",
    "tuxedo-drivers",
];

/// Attribute sets of a kernel: `linuxPackages_latest` is where a module is
/// taken from, and the kernel itself when no module is named.
pub(super) const KERNEL_SETS: &[&str] = &["linuxpackages", "linuxkernel"];

/// Beginnings of the names of whole desktops. One that heads a title gives way
/// to the program that the title is about.
pub(super) const DESKTOPS: &[&str] = &["gnome", "kde", "plasma"];

/// Kernels with a package of their own: `linuxPackages_zen` is never the
/// ordinary one.
pub(super) const KERNEL_FLAVOURS: &[&str] = &["zen", "hardened", "rt", "lqx", "xanmod", "rpi", "libre"];

/// A package in two parts: the module of the kernel and the programs.
pub(super) struct KernelPair {
    /// Meant when the title speaks of a kernel or of building a module.
    pub(super) module: &'static str,
    /// Meant otherwise, and always when the NixOS module is named.
    pub(super) programs: &'static str,
}

/// Packages in two parts.
pub(super) const KERNEL_PAIRS: &[KernelPair] = &[KernelPair { module: "zfs-kernel", programs: "zfs-user" }];

/// Names that begin like this are parts of the package on the right, unless
/// they are packages of their own: `systemd-resolved`, `networkd-dispatcher`.
pub(super) const PARTS: &[(&str, &str)] =
    &[("systemd-", "systemd"), ("plasmashell-", "plasma-workspace"), ("grub2-", "grub"), ("grub-", "grub")];

/// The NixOS modules that are no package and say nothing about which is meant.
pub(super) const GENERIC_MODULES: &[&str] = &[
    "activation",
    "boot",
    "display-manager",
    "display-managers",
    "filesystems",
    "fonts",
    "graphics",
    "hardware",
    "hidpi",
    "initrd",
    "installer",
    "iso",
    "kde",
    "luks",
    "modules",
    "networking",
    "nixos",
    "opengl",
    "profiles",
    "qemu-vm",
    "release",
    "security",
    "services",
    "sound",
    "stage-1",
    "switch-to-configuration",
    "system",
    "test-driver",
    "tests",
    "top-level",
    "users",
    "virtualisation",
    "x11",
];

/// Every alias, in the order of the alphabet.
pub(super) const ALIASES: &[Alias] = &[
    ("alsactl", Name, &["alsa-utils"]),
    ("alsamixer", Name, &["alsa-utils"]),
    ("amd-gpu", Name, &["xf86-video-amdgpu"]),
    ("amdgpu", Name, &["linux"]),
    ("apache", Name, &["apache-httpd"]),
    ("apachehttpd", Name, &["apache-httpd"]),
    ("ath10k", Name, &["linux"]),
    ("ath11k", Name, &["linux"]),
    ("ath12k", Name, &["linux"]),
    ("ath9k", Name, &["linux"]),
    ("avahi-daemon", Name, &["avahi"]),
    ("bcachefs-tools", Name, &["bcachefs"]),
    ("bluetoothctl", Name, &["bluez"]),
    ("bluetoothd", Name, &["bluez"]),
    ("bootctl", Name, &["systemd"]),
    ("btrfs", Name, &["btrfs-progs"]),
    ("btusb", Name, &["linux"]),
    ("citrix", Name, &["citrix-workspace"]),
    ("citrix-receiver", Name, &["citrix-workspace"]),
    ("cups-browsed", Name, &["cups-browsed", "cups-filters", "cups"]),
    ("cupsd", Name, &["cups"]),
    ("dbus-daemon", Name, &["dbus"]),
    ("dhclient", Name, &["dhcp"]),
    ("dockerd", Name, &["docker"]),
    ("e1000e", Name, &["linux"]),
    ("ext4", Name, &["e2fsprogs"]),
    ("fsck.ext4", Name, &["e2fsprogs"]),
    ("fstrim", Name, &["util-linux"]),
    ("gcr-ssh-agent", Name, &["gcr"]),
    ("git-send-email", Name, &["git"]),
    ("gitk", Name, &["git"]),
    ("glibclocales", Name, &["glibc-locales"]),
    ("gnome", Family, &["gnome-shell"]),
    ("gnome-settings", Name, &["gnome-control-center"]),
    ("golang", Name, &["go"]),
    ("gpg", Name, &["gnupg"]),
    ("gpg-agent", Name, &["gnupg"]),
    ("grub-efi", Name, &["grub"]),
    ("grub-install", Name, &["grub"]),
    ("grub2", Name, &["grub"]),
    ("gsettings", Name, &["glib"]),
    ("gtk2", Name, &["gtk+"]),
    ("gtk3", Name, &["gtk+3"]),
    ("gvim", Name, &["vim"]),
    ("hostnamed", Name, &["systemd"]),
    ("i915", Name, &["linux"]),
    ("icu", Name, &["icu4c"]),
    ("intel-gpu", Name, &["xf86-video-intel"]),
    ("iwlwifi", Name, &["linux-firmware", "linux"]),
    ("java", Name, &["openjdk"]),
    ("jdk", Name, &["openjdk"]),
    ("journalctl", Name, &["systemd"]),
    ("journald", Name, &["systemd"]),
    ("jre", Name, &["openjdk"]),
    ("kde", Family, &["plasma-workspace", "plasma-desktop"]),
    ("kde5", Family, &["plasma-workspace", "plasma-desktop"]),
    ("kde6", Family, &["plasma-workspace", "plasma-desktop"]),
    ("kded5", Name, &["kded"]),
    ("kded6", Name, &["kded"]),
    ("kerberos", Name, &["libkrb5", "krb5"]),
    ("kernel", Family, &["linux"]),
    ("krb5", Name, &["libkrb5", "krb5"]),
    ("ksmserver", Name, &["plasma-workspace"]),
    ("libpq", Name, &["postgresql"]),
    ("libreoffice-fresh", Name, &["libreoffice"]),
    ("libreoffice-still", Name, &["libreoffice"]),
    ("linux-kernel", Name, &["linux"]),
    ("linux-latest", Name, &["linux"]),
    ("localectl", Name, &["systemd"]),
    ("loginctl", Name, &["systemd"]),
    ("logind", Name, &["systemd"]),
    ("lsblk", Name, &["util-linux"]),
    ("lspci", Name, &["pciutils"]),
    ("lsusb", Name, &["usbutils"]),
    ("lualatex", Name, &["texlive-combined", "texlive"]),
    ("luks", Name, &["cryptsetup"]),
    ("lvm", Name, &["lvm2"]),
    ("machinectl", Name, &["systemd"]),
    ("mariadb", Name, &["mariadb-server", "mariadb", "mariadb-client"]),
    ("mkfs.ext4", Name, &["e2fsprogs"]),
    ("mkfs.vfat", Name, &["dosfstools"]),
    ("modprobe", Name, &["kmod"]),
    ("mount.cifs", Name, &["cifs-utils"]),
    ("mt7921e", Name, &["linux"]),
    ("mysql", Name, &["mysql", "mariadb-server", "mariadb"]),
    ("netcat", Name, &["netcat-openbsd", "netcat-gnu"]),
    ("network-manager", Name, &["networkmanager", "network-manager"]),
    ("networkctl", Name, &["systemd"]),
    ("networkd", Name, &["systemd"]),
    ("networkmanager", Name, &["networkmanager", "network-manager"]),
    ("nix-build", Name, &["nix"]),
    ("nix-channel", Name, &["nix"]),
    ("nix-collect-garbage", Name, &["nix"]),
    ("nix-copy-closure", Name, &["nix"]),
    ("nix-daemon", Name, &["nix"]),
    ("nix-env", Name, &["nix"]),
    ("nix-instantiate", Name, &["nix"]),
    ("nix-shell", Name, &["nix"]),
    ("nix-store", Name, &["nix"]),
    ("nixos-enter", Name, &["nixos-install-tools"]),
    ("nixos-generate-config", Name, &["nixos-install-tools"]),
    ("nixos-install", Name, &["nixos-install-tools"]),
    ("nm-applet", Name, &["network-manager-applet", "networkmanagerapplet"]),
    ("nm-connection-editor", Name, &["network-manager-applet", "networkmanagerapplet"]),
    ("nmcli", Name, &["networkmanager", "network-manager"]),
    ("nmtui", Name, &["networkmanager", "network-manager"]),
    ("node", Name, &["nodejs"]),
    ("nouveau", Name, &["linux"]),
    ("npm", Name, &["nodejs"]),
    ("nscd", Name, &["nsncd", "glibc"]),
    ("nvidia", Family, &["nvidia-x11"]),
    ("nvidia-driver", Name, &["nvidia-x11"]),
    ("nvidia-drivers", Name, &["nvidia-x11"]),
    ("nvidia-open-driver", Name, &["nvidia-open"]),
    ("nvidia-settings", Name, &["nvidia-settings", "nvidia-x11"]),
    ("nvidia-smi", Name, &["nvidia-x11"]),
    ("nvim", Name, &["neovim"]),
    ("oomd", Name, &["systemd"]),
    ("pactl", Name, &["pulseaudio"]),
    ("pam", Name, &["linux-pam"]),
    ("pdflatex", Name, &["texlive-combined", "texlive"]),
    ("perl5", Name, &["perl"]),
    ("pg-dump", Name, &["postgresql"]),
    ("pg-upgrade", Name, &["postgresql"]),
    ("pipewire-pulse", Name, &["pipewire"]),
    ("plasma", Family, &["plasma-workspace", "plasma-desktop"]),
    ("plasma-shell", Name, &["plasma-workspace"]),
    ("plasma5", Family, &["plasma-workspace", "plasma-desktop"]),
    ("plasma6", Family, &["plasma-workspace", "plasma-desktop"]),
    ("plasmashell", Name, &["plasma-workspace"]),
    ("postgres", Name, &["postgresql"]),
    ("printing", Name, &["cups"]),
    ("psql", Name, &["postgresql"]),
    ("pulse", Name, &["pulseaudio"]),
    ("pulseaudio", Name, &["pulseaudio", "libpulseaudio"]),
    ("py3", Name, &["python3"]),
    ("qemu-kvm", Name, &["qemu"]),
    ("qt5", Name, &["qtbase"]),
    ("qt6", Name, &["qtbase"]),
    ("r8169", Name, &["linux"]),
    ("radeon", Name, &["linux"]),
    ("resolvconf", Name, &["openresolv"]),
    ("resolved", Name, &["systemd"]),
    ("rfkill", Name, &["util-linux"]),
    ("rtw88", Name, &["linux"]),
    ("rtw89", Name, &["linux"]),
    ("rust", Name, &["rustc"]),
    ("samba4", Name, &["samba"]),
    ("sddm-greeter", Name, &["sddm"]),
    ("sensors", Name, &["lm-sensors"]),
    ("signal", Name, &["signal-desktop"]),
    ("smbclient", Name, &["samba"]),
    ("smbd", Name, &["samba"]),
    ("snd-hda-intel", Name, &["linux"]),
    ("soffice", Name, &["libreoffice"]),
    ("ssh", Name, &["openssh"]),
    ("ssh-agent", Name, &["openssh"]),
    ("sshd", Name, &["openssh"]),
    ("startplasma-wayland", Name, &["plasma-workspace"]),
    ("startplasma-x11", Name, &["plasma-workspace"]),
    ("steam-run", Name, &["steam"]),
    ("sysctl", Name, &["procps"]),
    ("systemctl", Name, &["systemd"]),
    ("systemd-boot", Name, &["systemd"]),
    ("tbb", Name, &["tor-browser"]),
    ("texlive", Name, &["texlive-combined", "texlive-bin", "texlive"]),
    ("thinkpad-acpi", Name, &["linux"]),
    ("thunderbird-bin", Name, &["thunderbird"]),
    ("timedatectl", Name, &["systemd"]),
    ("timesyncd", Name, &["systemd"]),
    ("tor-browser-bundle", Name, &["tor-browser"]),
    ("tor-browser-bundle-bin", Name, &["tor-browser"]),
    ("torbrowser", Name, &["tor-browser"]),
    ("udev", Name, &["systemd"]),
    ("udevd", Name, &["systemd"]),
    ("udisksctl", Name, &["udisks"]),
    ("uvcvideo", Name, &["linux"]),
    ("visual-studio-code", Name, &["vscode"]),
    ("vs-code", Name, &["vscode"]),
    ("webkit", Name, &["webkitgtk"]),
    ("webkit-gtk", Name, &["webkitgtk"]),
    ("wg-quick", Name, &["wireguard-tools"]),
    ("wine64", Name, &["wine"]),
    ("x-org", Name, &["xorg-server"]),
    ("x-server", Name, &["xorg-server"]),
    ("x11", Family, &["xorg-server"]),
    ("xdg-mime", Name, &["xdg-utils"]),
    ("xdg-open", Name, &["xdg-utils"]),
    ("xelatex", Name, &["texlive-combined", "texlive"]),
    ("xfs", Name, &["xfsprogs"]),
    ("xorg", Name, &["xorg-server"]),
    ("xserver", Name, &["xorg-server"]),
    ("zfs", Family, &["zfs-kernel", "zfs-user", "zfs"]),
    ("zpool", Name, &["zfs-user", "zfs"]),
];

/// What an alias stands for.
pub(super) fn alias(name: &str) -> Option<(Strength, &'static [&'static str])> {
    static BY_NAME: LazyLock<HashMap<&str, (Strength, &[&str])>> = LazyLock::new(|| {
        ALIASES.iter().map(|(name, strength, packages)| (*name, (*strength, *packages))).collect()
    });
    BY_NAME.get(name).copied()
}

/// Whether an alias stands for a package of this name.
pub(super) fn is_alias_target(name: &str) -> bool {
    static TARGETS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let modules = KERNEL_MODULES.iter().copied();
        ALIASES.iter().flat_map(|(_, _, packages)| packages.iter().copied()).chain(modules).collect()
    });
    TARGETS.contains(name)
}

/// Whether an alias of several words begins with this one.
pub(super) fn begins_an_alias(word: &str) -> bool {
    static BEGINNINGS: LazyLock<HashSet<&str>> =
        LazyLock::new(|| ALIASES.iter().filter_map(|(name, ..)| Some(name.split_once('-')?.0)).collect());
    BEGINNINGS.contains(word)
}
