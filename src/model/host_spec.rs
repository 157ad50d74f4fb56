//! One host as it is to be deployed: everything that `hosts.toml`, tags and
//! defaults say about it, resolved and checked.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{HostName, Levels, Limits};

/// How the login user becomes root on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Elevate {
    /// Nothing when the login is root, else the first of sudo, doas and run0
    /// that works without a password, else sudo with a password.
    #[default]
    Auto,
    /// The login user is root.
    None,
    /// `sudo`, without or with a password.
    Sudo,
    /// `doas`, without a password.
    Doas,
    /// `run0` of systemd 256 and newer, allowed by a polkit rule.
    Run0,
}

/// Where derivations are built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildOn {
    /// On the machine nix-deploy runs on (its Nix may use remote builders).
    #[default]
    Local,
    /// On the host that is deployed.
    Target,
    /// On another host of hosts.toml.
    Host(HostName),
}

/// When and how a host takes a change back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackPolicy {
    /// Whether a failed proof or health check is undone. When false the host
    /// still undoes what nobody could confirm, but health problems only fail
    /// the run.
    pub auto: bool,
    /// How long the host waits for the confirmation after activation.
    pub confirm_timeout: Duration,
    /// How long `switch-to-configuration` may take.
    pub activation_timeout: Duration,
}

impl Default for RollbackPolicy {
    fn default() -> Self {
        Self {
            auto: true,
            confirm_timeout: Duration::from_secs(60),
            activation_timeout: Duration::from_secs(600),
        }
    }
}

/// Deadlines, so that nothing waits for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// One attempt to connect.
    pub connect: Duration,
    /// One short command on the host.
    pub command: Duration,
    /// Trying again when the connection is lost before the host is changed.
    pub reconnect: Duration,
    /// A copy during which no byte and no path arrives.
    pub copy_stall: Duration,
    /// One evaluation.
    pub evaluate: Duration,
    /// One build of all hosts.
    pub build: Duration,
    /// Waiting for another deploy or activation on the host to end.
    pub lock: Duration,
    /// How long units are watched after activation.
    pub settle: Duration,
    /// Rebooting: from the word until a login in another boot.
    pub reboot: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(60),
            reconnect: Duration::from_secs(90),
            copy_stall: Duration::from_secs(60),
            evaluate: Duration::from_secs(30 * 60),
            build: Duration::from_secs(12 * 3600),
            lock: Duration::from_secs(120),
            settle: Duration::from_secs(5),
            reboot: Duration::from_secs(600),
        }
    }
}

/// What a health check asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// `GET` from here; passes on the expected status.
    Http {
        /// The URL, http or https.
        url: String,
        /// The status that means health.
        expect_status: u16,
    },
    /// A TCP connection from here to `host:port`.
    Tcp {
        /// The address, `host:port`.
        address: String,
    },
    /// A command on the host, as root; passes on exit code 0.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
    },
}

/// A health check of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What people call it.
    pub name: String,
    /// What it asks.
    pub kind: CheckKind,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How many further attempts are made.
    pub retries: u32,
    /// How long to wait between attempts.
    pub grace: Duration,
}

/// A network property that is proven after activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkCheck {
    /// A new ssh login works (always proven; listed for the report).
    Ssh,
    /// The host resolves a name.
    Dns,
    /// Tailscale is up on the host.
    Tailscale,
    /// The host has a default route.
    Route,
}

/// Everything a deploy needs to know about one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSpec {
    /// The name people use.
    pub name: HostName,
    /// The attribute below `nixosConfigurations`; the name unless set.
    pub attribute: String,
    /// What ssh connects to; `None` means the machine we run on.
    pub address: Option<String>,
    /// The login user; `None` leaves it to the ssh configuration.
    pub user: Option<String>,
    /// The ssh port; `None` leaves it to the ssh configuration.
    pub port: Option<u16>,
    /// A host to jump through, as `ssh -J` takes it.
    pub jump: Option<String>,
    /// A private key file.
    pub identity_file: Option<PathBuf>,
    /// An ssh configuration read instead of the user's own.
    pub ssh_config: Option<PathBuf>,
    /// How to become root.
    pub elevate: Elevate,
    /// Where to build.
    pub build_on: BuildOn,
    /// Whether the host fetches from its own substituters during the copy.
    pub use_substitutes: bool,
    /// Whether garbage is collected on the host when it has not enough room.
    pub collect_garbage: bool,
    /// Free-form labels, selected with `@tag`.
    pub tags: Vec<String>,
    /// Units that must run after the deploy.
    pub critical_services: Vec<String>,
    /// Health checks.
    pub checks: Vec<Check>,
    /// Network properties to prove.
    pub network: Vec<NetworkCheck>,
    /// The name the `dns` check resolves.
    pub dns_name: Option<String>,
    /// Hosts deployed before this one.
    pub depends_on: Vec<HostName>,
    /// When and how to undo.
    pub rollback: RollbackPolicy,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Severities of rules for this host alone.
    pub lint: Levels,
    /// From when on resources deserve a word, or a deploy is taken back.
    pub limits: Limits,
}

impl HostSpec {
    /// A host with every default, reached under its own name.
    pub fn with_defaults(name: HostName) -> Self {
        Self {
            attribute: name.to_string(),
            address: Some(name.to_string()),
            name,
            user: None,
            port: None,
            jump: None,
            identity_file: None,
            ssh_config: None,
            elevate: Elevate::Auto,
            build_on: BuildOn::Local,
            use_substitutes: false,
            collect_garbage: false,
            tags: Vec::new(),
            critical_services: Vec::new(),
            checks: Vec::new(),
            network: vec![NetworkCheck::Ssh],
            dns_name: None,
            depends_on: Vec::new(),
            rollback: RollbackPolicy::default(),
            timeouts: Timeouts::default(),
            lint: Levels::new(),
            limits: Limits::default(),
        }
    }

    /// Whether this is the machine nix-deploy runs on.
    pub fn is_local(&self) -> bool {
        self.address.is_none()
    }
}
