//! Updates of flake inputs: which inputs move, what that changes on hosts.
//!
//! Nothing here changes anything: no lock file, no host. How it is used:
//!
//! 1. [`Trial::new`] asks Nix what an update would give. It has the inputs that
//!    move ([`Trial::moves`]), the text of the new lock file
//!    ([`Trial::lock_text`]; writing it to `flake.lock` is the update), and the
//!    lock that evaluations use instead of the flake's own ([`Trial::lock`],
//!    goes into `EvalRequest::lock`). Give it `inputs` to bring only some to
//!    their newest: holding one back is naming all others of [`Trial::inputs`].
//! 2. [`running::ask`] asks one host what it runs; beside the trial, as both wait.
//! 3. [`preview`] evaluates and builds the hosts of a run with the trial's lock
//!    file and says what changes. [`Previewed::report`] is what people and
//!    machines are shown (`model::UpdatePreview`, `report::preview_report`);
//!    [`PreviewedHost`] has, for the issue check, the packages before and after.
//!
//! Progress comes as [`Progress`]; `report::Tasks` shows it live.

mod compare;
mod estimate;
mod exact;
mod lock;
mod names;
mod preview;
mod reference;
pub(crate) mod running;
#[cfg(test)]
mod tests;
mod trial;

pub(crate) use names::check as check_pattern;
pub(crate) use preview::{Depth, PreviewRequest, Previewed, Progress, Stage, preview};
pub(crate) use running::Running;
pub(crate) use trial::{Trial, TrialRequest};
