//! A throw-away PostgreSQL on a private socket.
//!
//! The first test that needs it starts it; tests are processes of their own, so
//! a folder with a lock file is what they share. The last of them does not
//! know that it is the last: a watcher ends the cluster when the program that
//! started the tests is gone.

use std::fs::File;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs of the newest PostgreSQL that is installed.
pub(crate) fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|path| path.join("initdb").exists());
    found.sort();
    found.pop().expect("PostgreSQL is not installed; run tests/support/install.sh test")
}

/// PostgreSQL refuses to run as root.
fn server_user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let myself = std::fs::metadata("/proc/self").unwrap();
    let is_root = std::os::unix::fs::MetadataExt::uid(&myself) == 0;
    if !is_root {
        return None;
    }
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("no user postgres");
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

/// A command of PostgreSQL, as the user that the server runs as.
#[expect(clippy::disallowed_methods, reason = "a test starts the server it needs")]
fn server_command(program: &str) -> Command {
    let mut command = Command::new(programs().join(program));
    if let Some((user, group)) = server_user() {
        use std::os::unix::process::CommandExt;
        command.uid(user).gid(group);
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn checked(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A PostgreSQL that a test may stop and start.
pub(crate) struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    /// The cluster that all tests of this run share.
    pub(crate) fn shared() -> Self {
        // nextest names its run; without it the process is the run.
        #[expect(clippy::disallowed_methods, reason = "the only way to know which tests belong together")]
        let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
        let folder = std::env::temp_dir().join(format!("nix-deploy-pg-{}", &run[..run.len().min(13)]));
        std::fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let cluster = Self { folder };
        if !cluster.folder.join("ready").exists() {
            cluster.create();
            cluster.start();
            cluster.end_with_the_tests();
            std::fs::write(cluster.folder.join("ready"), "").unwrap();
        }
        cluster
    }

    /// A cluster of one test, which stops it.
    pub(crate) fn own(folder: &Path) -> Self {
        let cluster = Self { folder: folder.join("pg") };
        std::fs::create_dir_all(&cluster.folder).unwrap();
        // The server's user has to reach it.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        cluster.create();
        cluster.start();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn create(&self) {
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        if let Some((user, group)) = server_user() {
            chown(&self.folder, Some(user), Some(group)).unwrap();
        }
        checked(
            server_command("initdb")
                .arg("-D")
                .arg(self.data())
                .args([
                    "--auth=scram-sha-256",
                    "--no-sync",
                    "--username=fleet",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                ])
                .arg("--pwfile")
                .arg(self.password_file()),
        );
    }

    fn password_file(&self) -> PathBuf {
        let path = self.folder.join("password");
        std::fs::write(&path, "opens sesame\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        path
    }

    /// Starts the server.
    pub(crate) fn start(&self) {
        self.start_with("-c listen_addresses=");
    }

    /// Starts the server on addresses of this machine, where it takes connections over TLS only.
    pub(crate) fn start_over_tls(&self, addresses: &[String], certificate: &Path, key: &Path) {
        let own_key = self.folder.join("server.key");
        std::fs::copy(key, &own_key).unwrap();
        std::fs::set_permissions(&own_key, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = server_user() {
            chown(&own_key, Some(user), Some(group)).unwrap();
        }
        std::fs::write(self.data().join("pg_hba.conf"), "hostssl all all 127.0.0.0/8 scram-sha-256\n").unwrap();
        self.start_with(&format!(
            "-c listen_addresses={} -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
            addresses.join(","),
            certificate.display(),
            own_key.display()
        ));
    }

    fn start_with(&self, more: &str) {
        let options = format!("-k {} -c fsync=off -c max_connections=120 {more}", self.folder.display());
        checked(
            server_command("pg_ctl")
                .arg("-D")
                .arg(self.data())
                .args(["-w", "-s", "-o", &options, "-l"])
                .arg(self.folder.join("log"))
                .arg("start"),
        );
    }

    /// Stops the server; whoever is connected is cut off.
    pub(crate) fn stop(&self) {
        checked(server_command("pg_ctl").arg("-D").arg(self.data()).args([
            "-w",
            "-s",
            "-m",
            "immediate",
            "stop",
        ]));
    }

    /// Ends the server when the program that started this test has ended.
    #[expect(clippy::disallowed_methods, reason = "a test starts the server it needs")]
    fn end_with_the_tests(&self) {
        let parent = std::os::unix::process::parent_id();
        let script = "while [ -d \"/proc/$1\" ]; do sleep 1; done; \
                      \"$2/pg_ctl\" -D \"$3/data\" -m immediate -s stop; rm -rf \"$3/data\" \"$3/ready\"";
        let mut command = Command::new("setsid");
        command.args(["sh", "-c", script, "sh", &parent.to_string()]).arg(programs()).arg(&self.folder);
        if let Some((user, group)) = server_user() {
            use std::os::unix::process::CommandExt;
            command.uid(user).gid(group);
        }
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It outlives this process; nobody waits for it.
        drop(command.spawn().unwrap());
    }

    /// The URL of a database in it.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://fleet:opens%20sesame@{host}/{database}")
    }

    /// The folder with its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.folder
    }

    /// A new empty database.
    pub(crate) async fn database(&self) -> String {
        use sqlx::{Connection, Executor};
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        let mut connection = sqlx::PgConnection::connect(&self.url("postgres")).await.unwrap();
        let sql = format!("CREATE DATABASE {name}");
        connection.execute(sql.as_str()).await.unwrap();
        connection.close().await.unwrap();
        name
    }
}
