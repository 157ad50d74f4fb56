//! Everything that asks Nix: evaluation, build, copy, closures.
//!
//! [`Nix`] names the programs and builds the common part of their argv; the
//! submodules each own one question, as a pure argv builder, a pure parser and
//! a thin async function between them. Works with Nix 2.8 and newer and with
//! Lix: only what all of them understand is passed, and versions are never
//! asked for on the way of a deploy.
//!
//! Invariant: on success each of evaluate, build and copy is one process.

mod activities;
mod build;
mod caches;
mod closure;
mod copy;
mod error;
mod eval;
mod lock;
mod log;
mod missing;
mod needs;
mod parse;
mod program;
mod run;
#[cfg(test)]
pub(crate) mod testing;
mod transcript;
mod version;

pub(crate) use activities::NixProgress;
pub(crate) use build::{BuildError, BuildRequest, Realise};
pub(crate) use caches::Caches;
pub(crate) use closure::{Closure, Selection, change_kind, diff, diff_with};
pub(crate) use copy::{Copied, CopyError, CopyRequest, PushRequest};
pub(crate) use error::{NixError, is_without_git, shell_word, untracked_hint};
pub(crate) use eval::{Ask, ChunkPolicy, EvalError, EvalRequest, Evaluated, NamesRequest, Shrunk};
pub(crate) use lock::{LockError, LockRequest, TrialLock, Update};
pub(crate) use parse::Rejected;
pub(crate) use program::{Nix, RemoteStore};
pub(crate) use version::NixVersion;
