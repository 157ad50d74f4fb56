//! Updates of flake inputs: which inputs move, what that changes on hosts, what
//! speaks against it, and the change of flake.lock that can be put back.
//!
//! Nothing here prints, asks or deploys, and [`FlakeLock::replace`] alone
//! changes anything. How it is used:
//!
//! 1. [`Trial::new`] asks Nix what an update would give. It has the inputs that
//!    move ([`Trial::moves`]), the text of the new lock file
//!    ([`Trial::lock_text`]; writing it to `flake.lock` is the update), and the
//!    lock that evaluations use instead of the flake's own ([`Trial::lock`],
//!    goes into `EvalRequest::lock`). Give it `inputs` to bring only some to
//!    their newest: holding one back is naming all others of [`Trial::inputs`].
//! 2. [`running::ask`] asks one host what it runs; beside the trial, as both wait.
//! 3. [`preview()`] evaluates and builds the hosts of a run with the trial's lock
//!    file and says what changes. [`Previewed::report`] is what people and
//!    machines are shown (`model::UpdatePreview`, `report::preview_report`);
//!    `PreviewedHost` has, for the issue check, the packages before and after.
//! 4. [`risk::assess`] makes one assessment of everything that was found,
//!    [`decide::way`] says whether that decides, and [`offers`] what can be done
//!    where it blocks.
//! 5. [`FlakeLock`] makes the update, and keeps it or takes it back.
//!
//! Progress comes as [`Progress`]; `report::Tasks` shows it live.

mod compare;
pub(crate) mod decide;
mod durable;
mod estimate;
mod exact;
mod lock;
mod lock_backup;
mod names;
pub(crate) mod offers;
mod preview;
mod reference;
pub(crate) mod risk;
pub(crate) mod running;
#[cfg(test)]
mod tests;
mod transaction_error;
mod trial;

pub(crate) use lock::LockFile;
pub(crate) use lock_backup::{FlakeLock, Found, LockUpdate};
pub(crate) use names::check as check_pattern;
pub(crate) use preview::{Depth, PreviewRequest, Previewed, Progress, Stage, preview};
pub(crate) use running::Running;
pub(crate) use transaction_error::TransactionError;
pub(crate) use trial::{Trial, TrialRequest};
