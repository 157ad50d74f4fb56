//! The sudo password of a run: given in the environment, or asked of a person, once for
//! all hosts; asked again when a host does not accept it.

use tokio::sync::Mutex;

use super::context::HostContext;
use crate::host::{HostError, facts};
use crate::model::{Failure, FailureClass, HostFacts, Secret};

/// How often a person is asked in all.
const MOST_QUESTIONS: u32 = 3;

/// The password that is tried next, as far as there is one.
#[derive(Debug, Default)]
pub(crate) struct SudoPassword(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    secret: Option<Secret>,
    /// The environment gave it: nobody is asked.
    is_given: bool,
    questions: u32,
    /// There is nobody who answers.
    is_silent: bool,
}

impl SudoPassword {
    /// With what the environment gave.
    pub(crate) fn new(given: Option<Secret>) -> Self {
        Self(Mutex::new(State { is_given: given.is_some(), secret: given, ..State::default() }))
    }

    /// The password to try; `refused` is the one that the host did not accept. `None`
    /// when there is no other one. Who comes while a person is asked waits for the answer.
    async fn next<F>(&self, refused: Option<&Secret>, ask: impl FnOnce() -> F) -> Option<Secret>
    where
        F: Future<Output = Option<Secret>>,
    {
        let mut state = self.0.lock().await;
        // Another host may have led to a newer one.
        if let Some(secret) = state.secret.as_ref().filter(|secret| Some(*secret) != refused) {
            return Some(secret.clone());
        }
        if state.is_given || state.is_silent || state.questions >= MOST_QUESTIONS {
            return None;
        }
        let answer = ask().await;
        state.questions += 1;
        match &answer {
            Some(secret) => state.secret = Some(secret.clone()),
            None => state.is_silent = true,
        }
        answer
    }
}

/// Asks the facts of a host as root, with a password that it accepts.
pub(super) async fn collect(context: &HostContext, login: &HostFacts) -> Result<HostFacts, Failure> {
    let run = &context.run;
    let mut refused: Option<(Secret, HostError)> = None;
    loop {
        let question = format!("sudo password of {} on {}", login.user, context.name());
        let question = match &refused {
            Some(_) => format!("the password was not accepted; {question}"),
            None => question,
        };
        // What this host has accepted before counts more than what others made of it.
        let accepted = context.sudo_password.get().filter(|_| refused.is_none()).cloned();
        let password = match accepted {
            Some(password) => Some(password),
            None => {
                let before = refused.as_ref().map(|(password, _)| password);
                run.sudo_password.next(before, || run.sink.password(question)).await
            }
        };
        let Some(password) = password else {
            return Err(refused.map_or_else(|| nobody(&login.user), |(_, error)| error.failure()));
        };
        match facts::collect_with_password(&context.link, &context.host, login, password.clone()).await {
            Ok(facts) => {
                // The first one that was accepted stays.
                let _ = context.sudo_password.set(password);
                return Ok(facts);
            }
            Err(error @ HostError::Password { .. }) => refused = Some((password, error)),
            Err(error) => return Err(error.failure()),
        }
    }
}

fn nobody(user: &str) -> Failure {
    Failure::new(FailureClass::Unfit, format!("sudo asks {user} for a password, and nobody can give it"))
        .hint("run nix-deploy at a terminal, or set NIX_DEPLOY_SUDO_PASSWORD")
        .hint(format!("or let the user elevate without one: security.sudo.extraRules for {user}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next(password: &SudoPassword, refused: Option<&str>, typed: Option<&str>) -> Option<Secret> {
        let refused = refused.map(Secret::new);
        password.next(refused.as_ref(), async || typed.map(Secret::new)).await
    }

    #[tokio::test]
    async fn a_person_is_asked_again_three_times_in_all() {
        let password = SudoPassword::default();
        let typed = |text: &str| Some(Secret::new(text));
        assert_eq!(next(&password, None, Some("a")).await, typed("a"));
        assert_eq!(next(&password, None, None).await, typed("a"), "another host gets the same");
        assert_eq!(next(&password, Some("a"), Some("b")).await, typed("b"));
        assert_eq!(next(&password, Some("a"), None).await, typed("b"), "asked for another host already");
        assert_eq!(next(&password, Some("b"), Some("b")).await, typed("b"));
        assert_eq!(next(&password, Some("b"), Some("c")).await, None);
    }

    #[tokio::test]
    async fn what_the_environment_gave_is_not_asked_again_and_silence_is_final() {
        let given = SudoPassword::new(Some(Secret::new("env")));
        assert_eq!(next(&given, None, Some("x")).await, Some(Secret::new("env")));
        assert_eq!(next(&given, Some("env"), Some("x")).await, None);
        let silent = SudoPassword::default();
        assert_eq!(next(&silent, None, None).await, None);
        assert_eq!(next(&silent, None, Some("x")).await, None);
    }
}
