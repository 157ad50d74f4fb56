//! Copies with the installed Nix to a second store behind a stand-in for ssh.

use super::*;
use crate::nix::testing::{Playground, quiet};
use crate::nix::{BuildRequest, NixProgress};

async fn built(playground: &Playground) -> StorePath {
    let targets = playground.evaluated(&["alpha"]).await;
    let out_path = targets[0].out_path.clone();
    let minute = Duration::from_secs(60);
    let log = playground.path("logs/build.log");
    let request = BuildRequest {
        options: Vec::new(),
        failed_downloads: Default::default(),
        fetched: Default::default(),
        targets,
        store: None,
        deadline: minute,
        stall: minute,
        log_file: &log,
        gc_root_dir: None,
        begun: std::sync::Mutex::default(),
    };
    assert!(playground.nix().build(&request, &quiet).await.values().all(Result::is_ok));
    out_path
}

fn request<'a>(playground: &Playground, path: &StorePath, log_file: &'a Path) -> CopyRequest<'a> {
    CopyRequest {
        paths: vec![path.clone()],
        from: None,
        to: playground.host(),
        substitute: false,
        check_sigs: false,
        stall: Duration::from_secs(60),
        deadline: Duration::from_secs(60),
        log_file,
    }
}

#[tokio::test]
async fn a_closure_arrives_and_is_not_copied_twice() {
    let playground = Playground::new().await;
    let path = built(&playground).await;
    let log = playground.path("logs/copy.log");
    let request = request(&playground, &path, &log);
    let copied = playground.nix().copy(&request, &quiet).await.unwrap();
    assert_eq!(copied.paths.len(), 2);
    assert!(copied.paths.contains(&path));
    assert!(playground.path("host").join(&path.as_str()[1..]).exists());
    let again = playground.nix().copy(&request, &quiet).await.unwrap();
    assert!(again.paths.is_empty());
}

#[tokio::test]
async fn unsigned_paths_are_refused_where_signatures_are_checked() {
    let playground = Playground::new().await;
    let path = built(&playground).await;
    let log = playground.path("logs/copy.log");
    let mut request = request(&playground, &path, &log);
    request.check_sigs = true;
    let error = playground.nix().copy(&request, &quiet).await.unwrap_err();
    assert!(matches!(error, CopyError::Untrusted { .. }), "{error:?}");
    assert!(error.hints()[0].contains("trusted-users"));
}

#[tokio::test]
async fn a_silent_host_is_given_up_after_the_stall_time() {
    let playground = Playground::new().await;
    let path = built(&playground).await;
    std::fs::write(playground.path("ssh-mode"), "exec tail -f /dev/null").unwrap();
    let log = playground.path("logs/copy.log");
    let mut request = request(&playground, &path, &log);
    request.stall = Duration::from_millis(600);
    let error = playground.nix().copy(&request, &quiet).await.unwrap_err();
    assert!(matches!(error, CopyError::Stalled { .. }), "{error:?}");
}

#[tokio::test]
async fn bytes_that_move_are_life_even_when_nix_says_nothing() {
    let playground = Playground::new().await;
    let mover = "#!/bin/sh\ni=0; while [ $i -lt 15 ]; do i=$((i+1)); echo x >/dev/null; sleep 0.1; done\n";
    playground.script("nix", mover);
    let log = playground.path("logs/copy.log");
    let path = StorePath::new("/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-x").unwrap();
    let mut request = request(&playground, &path, &log);
    request.stall = Duration::from_millis(600);
    assert!(playground.fake_nix().copy(&request, &quiet).await.is_ok());
}

#[test]
fn every_choice_has_its_option() {
    let log = Path::new("/log");
    let store = |host: &str| RemoteStore::new(format!("ssh-ng://{host}"), "/run/ssh").unwrap();
    let path = StorePath::new("/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-x").unwrap();
    let mut request = CopyRequest {
        paths: vec![path],
        from: Some(store("builder")),
        to: store("root@p620"),
        substitute: true,
        check_sigs: false,
        stall: Duration::ZERO,
        deadline: Duration::ZERO,
        log_file: log,
    };
    assert_eq!(
        copy_argv(Kind::Closure, &request).join(" "),
        "copy --log-format raw --substitute-on-destination --option builders-use-substitutes true \
         --no-check-sigs --from ssh-ng://builder --to ssh-ng://root@p620 /nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-x"
    );
    (request.from, request.substitute, request.check_sigs) = (None, false, true);
    assert_eq!(
        copy_argv(Kind::Derivation, &request).join(" "),
        "copy --log-format raw --derivation --option builders-use-substitutes false --to ssh-ng://root@p620 \
         /nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-x"
    );
}

#[tokio::test]
async fn progress_of_a_copy_is_told() {
    let playground = Playground::new().await;
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/nix/2.26/copy-words.log");
    playground.script("nix", &format!("#!/bin/sh\ncat {capture} >&2\n"));
    let log = playground.path("logs/copy.log");
    let path = StorePath::new("/nix/store/x7jqp1fs6jbrbjwzv1b0r02qhyblrjag-x").unwrap();
    let told = std::sync::Mutex::new(Vec::new());
    let tell = |progress: NixProgress| told.lock().unwrap().push(progress);
    let copied = playground.fake_nix().copy(&request(&playground, &path, &log), &tell).await.unwrap();
    assert_eq!(copied.paths.len(), 5);
    assert!(told.lock().unwrap().last().unwrap().doing.starts_with("copying 4/5"));
}
