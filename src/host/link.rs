//! Everything we hold towards one host: its generated ssh configuration, the
//! one multiplexed master that all work goes through, and how to become root.
//!
//! Invariant: at most one master stands at a time, and the proof never uses it.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::error::HostError;
use super::folder::Folder;
use super::session::{Elevation, Privilege, Session};
use super::shell::Script;
use super::ssh_config::{self, Compression};
use crate::model::{ElevationFact, HostSpec};

/// How often connecting is tried, and how long it waits between tries.
const ATTEMPTS: u32 = 3;
const BACKOFF: Duration = Duration::from_millis(500);

/// The way to one host.
#[derive(Debug)]
pub(crate) struct Link {
    host: HostSpec,
    directory: Folder,
    config: PathBuf,
    copy_config: PathBuf,
    compression: Compression,
    master: tokio::sync::Mutex<Option<Session>>,
    masters: AtomicU32,
    elevation: Mutex<Elevation>,
}

impl Link {
    /// Prepares the way; nothing is connected yet.
    pub(crate) fn new(host: &HostSpec) -> Result<Self, HostError> {
        let address = ssh_config::destination(host);
        let local =
            |error: std::io::Error| HostError::Local { address: address.clone(), detail: error.to_string() };
        let directory = Folder::new().map_err(local)?;
        let config = directory.path().join("ssh_config");
        let copy_config = directory.path().join("ssh_config_master");
        let link = Self {
            host: host.clone(),
            config,
            copy_config,
            compression: Compression::AsConfigured,
            directory,
            master: tokio::sync::Mutex::new(None),
            masters: AtomicU32::new(0),
            elevation: Mutex::new(Elevation { how: ElevationFact::Root, password: None }),
        };
        std::fs::write(&link.config, link.config_text(None)).map_err(local)?;
        Ok(link)
    }

    /// Compresses the connections that are made from now on, or not.
    pub(crate) fn compressed(mut self, is_wanted: bool) -> Result<Self, HostError> {
        if is_wanted {
            self.compression = Compression::Yes;
            std::fs::write(&self.config, self.config_text(None))
                .map_err(|error| HostError::Local { address: self.destination(), detail: error.to_string() })?;
        }
        Ok(self)
    }

    /// Whether its connections are compressed because the link is slow.
    pub(crate) fn is_compressed(&self) -> bool {
        self.compression == Compression::Yes
    }

    fn config_text(&self, control_path: Option<&std::path::Path>) -> String {
        // ssh expands the tilde itself.
        let user_config = self.host.ssh_config.clone().unwrap_or_else(|| PathBuf::from("~/.ssh/config"));
        ssh_config::text(&[(&self.host, control_path)], Some(&user_config), self.compression)
    }

    /// Writes an ssh configuration that reaches this host and another one, each
    /// through its master, and gives its path.
    pub(crate) async fn copy_config_with(&self, other: &Self) -> Result<PathBuf, HostError> {
        let own_path = self.master().await?.control_path();
        let other_path = other.master().await?.control_path();
        let user_config = self.host.ssh_config.clone().unwrap_or_else(|| PathBuf::from("~/.ssh/config"));
        let hosts = [(&self.host, own_path.as_deref()), (&other.host, other_path.as_deref())];
        let path = self.directory.path().join("ssh_config_two");
        std::fs::write(&path, ssh_config::text(&hosts, Some(&user_config), self.compression))
            .map_err(|error| HostError::Local { address: self.destination(), detail: error.to_string() })?;
        Ok(path)
    }

    /// What ssh and Nix call the host.
    pub(crate) fn destination(&self) -> String {
        ssh_config::destination(&self.host)
    }

    /// An ssh configuration whose connections go through the master; valid
    /// once a master stands.
    pub(crate) fn copy_config(&self) -> &std::path::Path {
        &self.copy_config
    }

    /// Remembers how to become root.
    pub(crate) fn set_elevation(&self, elevation: Elevation) {
        *lock(&self.elevation) = elevation;
    }

    fn elevation_for(&self, privilege: Privilege) -> Option<Elevation> {
        match privilege {
            Privilege::Login => None,
            Privilege::Root => Some(lock(&self.elevation).clone()),
        }
    }

    /// The master; connects when there is none or the last one is dead.
    pub(crate) async fn master(&self) -> Result<Session, HostError> {
        self.master_within(ATTEMPTS).await
    }

    /// The same with one attempt to connect.
    pub(crate) async fn master_at_once(&self) -> Result<Session, HostError> {
        self.master_within(1).await
    }

    async fn master_within(&self, attempts: u32) -> Result<Session, HostError> {
        let mut master = self.master.lock().await;
        // An idle master ends by itself, for example while a person thinks about
        // the question or a build takes long.
        if let Some(session) = master.clone()
            && session.is_alive().await
        {
            return Ok(session);
        }
        let session = self.connect_patiently(attempts).await?;
        if let Some(path) = session.control_path() {
            let text = self.config_text(Some(&path));
            std::fs::write(&self.copy_config, text)
                .map_err(|error| HostError::Local { address: self.destination(), detail: error.to_string() })?;
        }
        *master = Some(session.clone());
        self.masters.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    /// How many masters there have been: another number means that the host may have
    /// been rebooted meanwhile.
    pub(crate) fn masters(&self) -> u32 {
        self.masters.load(Ordering::Relaxed)
    }

    /// The master, if there is one that still stands.
    pub(crate) async fn standing_master(&self) -> Option<Session> {
        let session = self.master.lock().await.clone()?;
        session.is_alive().await.then_some(session)
    }

    /// Lets the master go, so that the next use makes a new one.
    pub(crate) async fn drop_master(&self) {
        *self.master.lock().await = None;
    }

    /// A new login that shares nothing with the master.
    pub(crate) async fn fresh(&self) -> Result<Session, HostError> {
        if self.host.is_local() {
            return Ok(Session::local());
        }
        let deadline = self.host.timeouts.connect;
        Session::connect(&self.destination(), &self.config, self.directory.path(), deadline).await
    }

    async fn connect_patiently(&self, attempts: u32) -> Result<Session, HostError> {
        let mut attempt = 1;
        loop {
            match self.fresh().await {
                Err(error) if error.is_transient() && attempt < attempts => {
                    tokio::time::sleep(BACKOFF * 2_u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// Runs a script over the master. When the master turns out to be dead,
    /// a new one is tried once: scripts that are run so can be run twice.
    pub(crate) async fn run(
        &self,
        script: &Script,
        privilege: Privilege,
        deadline: Duration,
    ) -> Result<String, HostError> {
        let elevation = self.elevation_for(privilege);
        let session = self.master().await?;
        match session.run(script, elevation.as_ref(), deadline).await {
            Err(HostError::Lost { .. }) if !session.is_alive().await => {
                self.drop_master().await;
                self.master().await?.run(script, elevation.as_ref(), deadline).await
            }
            result => result,
        }
    }

    /// Asks sudo over the master whether it takes the password that is remembered.
    pub(crate) async fn check_password(&self, deadline: Duration) -> Result<(), HostError> {
        let elevation = lock(&self.elevation).clone();
        self.master().await?.check_password(&elevation, deadline).await
    }

    /// Runs a script over a given session.
    pub(crate) async fn run_on(
        &self,
        session: &Session,
        script: &Script,
        privilege: Privilege,
        deadline: Duration,
    ) -> Result<String, HostError> {
        session.run(script, self.elevation_for(privilege).as_ref(), deadline).await
    }

    /// Runs a script over the master and shows its lines as they come.
    pub(crate) async fn follow(
        &self,
        script: &Script,
        privilege: Privilege,
        deadline: Duration,
        on_line: impl FnMut(&str) + Send,
    ) -> Result<String, HostError> {
        let elevation = self.elevation_for(privilege);
        self.master().await?.run_lines(script, elevation.as_ref(), deadline, on_line).await
    }
}

/// Locks a mutex that no panic can have left in a bad state: every critical
/// section is one assignment or one clone.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
