//! `--pr`: what is published is the commit that was deployed, whatever becomes of the
//! repository meanwhile.

use std::path::Path;

use super::fleet::{Fleet, command, finish};
use super::github::LocalGitHub;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = command("git").arg("-C").arg(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_of_the_commit_that_was_deployed_also_by_a_run_that_is_taken_up() {
    let github = LocalGitHub::start(Vec::new()).await;
    tokio::task::block_in_place(|| story(&github));
}

fn story(github: &LocalGitHub) {
    let fleet = Fleet::start(&["p620"]);
    fleet.write_settings(&format!(
        "[pull_request]\nrepository = \"ada/infra\"\napi_url = \"{}\"\n",
        github.url()
    ));
    let flake = fleet.flake();
    let bare = flake.with_file_name("infra.git");
    git(&flake, &["init", "-q", "--bare", bare.to_str().unwrap()]);
    git(&flake, &["remote", "add", "origin", bare.to_str().unwrap()]);
    let token = [("GITHUB_TOKEN", "t0ken")];

    // While it is deployed somebody commits, and then works on something else.
    git(&flake, &["switch", "-q", "-c", "packages"]);
    fleet.variant("p620", "unit-changed");
    let deployed = git(&flake, &["rev-parse", "HEAD"]);
    let mut run = fleet.start_deploy_with(&["p620", "--fast", "--pr"], &token);
    run.wait_for_step("activate");
    fleet.variant("p620", "crash-at-start");
    git(&flake, &["switch", "-q", "-c", "other"]);
    fleet.commit("something else");
    let (status, _) = run.finish();
    assert_eq!(status.code(), Some(0));
    assert_eq!(
        git(&bare, &["for-each-ref", "--format=%(refname:short) %(objectname)"]),
        format!("packages {deployed}")
    );
    let title = git(&flake, &["log", "-1", "--format=%s", &deployed]);
    assert_eq!(github.pulls().len(), 1);
    assert_eq!(github.pulls()[0]["head"], "packages");
    assert_eq!(github.pulls()[0]["title"], title.as_str());

    // A run that is taken up publishes what it deploys, too: not what lies here now.
    git(&flake, &["switch", "-q", "-c", "resumed"]);
    fleet.variant("p620", "package-update");
    let deployed = git(&flake, &["rev-parse", "HEAD"]);
    let mut run = fleet.start_deploy_with(&["p620", "--fast", "--issue", "7"], &token);
    run.wait_for_phase("activating");
    run.kill();
    fleet.await_settled("p620");
    fleet.variant("p620", "crash-at-start");
    git(&flake, &["switch", "-q", "other"]);
    let mut resume = fleet.nix_deploy(&["resume", "--output", "json", "--yes", "--pr"]);
    resume.env("GITHUB_TOKEN", "t0ken");
    let run = finish(resume);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("pull request #2 is open"), "{}", run.stderr);
    assert_eq!(git(&bare, &["rev-parse", "refs/heads/resumed"]), deployed);
    assert_eq!(github.pulls()[1]["head"], "resumed");
    let body = github.pulls()[1]["body"].as_str().unwrap().to_owned();
    assert!(body.starts_with("For #7.\n\n# Deployment: success"), "{body}");
}
