//! Builds with the installed Nix and with scripts in its place.

use super::*;
use crate::nix::testing::{Playground, quiet};

fn request<'a>(targets: Vec<Evaluated>, log_file: &'a Path, store: Option<RemoteStore>) -> BuildRequest<'a> {
    let minute = Duration::from_secs(60);
    let begun = Mutex::default();
    let (options, failed_downloads, fetched) = (Vec::new(), Mutex::default(), Mutex::default());
    let deadline = minute * 2;
    BuildRequest {
        targets,
        store,
        deadline,
        stall: minute,
        log_file,
        gc_root_dir: None,
        options,
        failed_downloads,
        fetched,
        begun,
    }
}

#[tokio::test]
async fn a_failing_host_is_explained_and_the_others_are_built() {
    let playground = Playground::new().await;
    let targets = playground.evaluated(&["broken", "alpha", "beta"]).await;
    let log = playground.path("logs/build.log");
    let mut request = request(targets.clone(), &log, None);
    request.gc_root_dir = Some(playground.path("roots"));
    let answers = playground.nix().build(&request, &quiet).await;
    assert!(answers[&targets[1].drv_path].is_ok());
    assert!(answers[&targets[2].drv_path].is_ok());
    let error = answers[&targets[0].drv_path].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "broken-3.0 failed to build: builder failed with exit code 3");
    assert_eq!(error.evidence().len(), 20);
    assert_eq!(error.evidence().last().unwrap(), "part 30");
    let BuildError::Failed { first, .. } = error else { panic!("{error:?}") };
    let log = first.log.as_ref().unwrap();
    assert_eq!(*log, playground.path("logs/build-broken-3.0.log"));
    assert_eq!(std::fs::read_to_string(log).unwrap().lines().count(), 30);
    assert!(error.hints().iter().any(|hint| hint.contains("build-broken-3.0.log")));
    let root = std::fs::read_link(playground.path("roots/result")).unwrap();
    assert!([&targets[1], &targets[2]].iter().any(|target| root == Path::new(target.out_path.as_str())));
    let begun = request.begun.into_inner().unwrap();
    let needed = playground.nix().requisites(&targets[1].drv_path).await;
    assert!(
        begun.contains(&targets[1].drv_path) && needed.contains(&targets[1].drv_path),
        "{begun:?} {needed:?}"
    );
    assert!(!needed.contains(&targets[2].drv_path));
}

#[tokio::test]
async fn a_build_elsewhere_happens_there_and_only_there() {
    let playground = Playground::new().await;
    let targets = playground.evaluated(&["alpha", "broken"]).await;
    let log = playground.path("logs/build.log");
    let request = request(targets.clone(), &log, Some(playground.host()));
    let answers = playground.nix().build(&request, &quiet).await;
    assert!(answers[&targets[0].drv_path].is_ok(), "{answers:?}");
    let error = answers[&targets[1].drv_path].as_ref().unwrap_err();
    assert!(error.to_string().starts_with("broken-3.0 failed to build"), "{error}");
    assert_eq!(error.evidence().last().unwrap(), "part 30");
    let below = &targets[0].out_path.as_str()[1..];
    assert!(playground.path("host").join(below).exists());
    assert!(!playground.path("store").join(below).exists());
    let ssh = std::fs::read_to_string(playground.path("ssh-argv")).unwrap();
    assert!(ssh.lines().all(|line| line.contains(&playground.host().ssh_options())), "{ssh}");
}

#[tokio::test]
async fn a_build_that_succeeds_is_one_process() {
    let playground = Playground::new().await;
    playground.script("nix-store", "#!/bin/sh\necho \"$@\" >> \"$TEST_ROOT/calls\"\n");
    let targets = playground.evaluated(&["alpha", "beta"]).await;
    let log = playground.path("logs/build.log");
    let mut request = request(targets.clone(), &log, None);
    request.gc_root_dir = Some(playground.path("roots"));
    let answers = playground.fake_nix().build(&request, &quiet).await;
    assert!(answers.values().all(Result::is_ok));
    let expected = format!(
        "--realise --keep-going --log-format internal-json --option build-poll-interval 1 --indirect --add-root {} {} {}\n",
        playground.path("roots/result").display(),
        targets[0].drv_path,
        targets[1].drv_path
    );
    assert_eq!(std::fs::read_to_string(playground.path("calls")).unwrap(), expected);
}

#[tokio::test]
async fn a_derivation_that_was_collected_asks_for_another_run() {
    let playground = Playground::new().await;
    let mut targets = playground.evaluated(&["alpha"]).await;
    let gone = targets[0].drv_path.as_str().replace("alpha", "gone");
    targets[0].drv_path = StorePath::new(gone).unwrap();
    let log = playground.path("logs/build.log");
    let answers = playground.nix().build(&request(targets.clone(), &log, None), &quiet).await;
    let error = answers[&targets[0].drv_path].as_ref().unwrap_err();
    assert!(matches!(error, BuildError::Collected { .. }), "{error:?}");
}

#[tokio::test]
async fn an_unreachable_builder_fails_every_target_with_its_reason() {
    let playground = Playground::new().await;
    std::fs::write(
        playground.path("ssh-mode"),
        "echo 'ssh: connect to host x: Connection refused' >&2; exit 255",
    )
    .unwrap();
    let targets = playground.evaluated(&["alpha"]).await;
    let log = playground.path("logs/build.log");
    let answers =
        playground.nix().build(&request(targets.clone(), &log, Some(playground.host())), &quiet).await;
    let BuildError::Send(error) = answers[&targets[0].drv_path].as_ref().unwrap_err() else { panic!() };
    assert!(matches!(**error, CopyError::Connection { .. }));
}
