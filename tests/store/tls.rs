//! PostgreSQL over TLS: a server that takes nothing else, with a certificate of
//! a private authority.

use std::path::Path;
use std::process::Command;

use crate::cluster::Cluster;
use crate::engine::{Engine, Kind};

/// An authority and a certificate for an address that it signed.
#[expect(clippy::disallowed_methods, reason = "a test makes the certificates it needs")]
fn certificates(folder: &Path, address: &str) {
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt
        openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
        echo \"subjectAltName=IP:$1\" >names
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout other.key -out other.crt";
    let output = Command::new("sh").args(["-euc", script, "sh", address]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_server_is_reached_over_tls_and_only_one_that_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    // Every address of 127.0.0.0/8 is this machine's: two that no other test has.
    let own = |last: u8| {
        let [_, _, high, low] = std::process::id().to_be_bytes();
        format!("127.{high}.{low}.{last}")
    };
    let (named, unnamed) = (own(21), own(22));
    certificates(folder.path(), &named);
    let cluster = Cluster::own(folder.path());
    let name = cluster.database().await;
    cluster.stop();
    let (certificate, key) = (folder.path().join("server.crt"), folder.path().join("server.key"));
    cluster.start_over_tls(&[named.clone(), unnamed.clone()], &certificate, &key);
    let authority = |file: &str| folder.path().join(file).display().to_string();
    let run = |host: &str, parameters: &str| {
        let url = format!("postgres://fleet:opens%20sesame@{host}/{name}{parameters}");
        let engine = Engine::over(Kind::Postgres, tempfile::tempdir().unwrap(), url);
        engine.run(&["fleet", "migrate"])
    };
    let trusted = format!("?sslmode=verify-full&sslrootcert={}", authority("ca.crt"));
    let outcome = run(&named, &trusted);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(run(&named, "?sslmode=require").code, 0);
    // It encrypts by itself where the server can.
    assert_eq!(run(&named, "").code, 0);

    let stranger = format!("?sslmode=verify-full&sslrootcert={}", authority("other.crt"));
    for (host, parameters, part) in [
        (&named, stranger.as_str(), "certificate"),
        (&named, "?sslmode=verify-full", "certificate"),
        (&unnamed, trusted.as_str(), "certificate"),
        (&named, "?sslmode=disable", "no encryption"),
    ] {
        let outcome = run(host, parameters);
        assert_eq!(outcome.code, 2, "{host}{parameters}: {outcome:?}");
        assert!(outcome.stderr.contains(part), "{host}{parameters}: {outcome:?}");
        assert!(!outcome.stderr.contains("sesame"), "{outcome:?}");
    }
    cluster.stop();
}
