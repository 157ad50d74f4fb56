//! What a run will do, worked out before anything is touched: which hosts
//! (`selection`), which steps in which order (`mode_steps`), which hosts wait
//! for which (`waves`), and the text that `--dry-run` prints (`dry_run`).
//!
//! Everything here is pure: the same settings and arguments give the same plan.

mod dry_run;
mod mode_steps;
mod selection;
mod waves;

pub(crate) use dry_run::{plan_json, plan_text};
pub(crate) use mode_steps::{needs_among, steps_of};
pub(crate) use selection::{known, select, select_within};
pub(crate) use waves::waves;
