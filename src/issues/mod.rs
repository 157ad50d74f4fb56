//! Known issues of the package set: fetched, compared with what is installed,
//! graded.
//!
//! `title` takes a title apart, `inventory` with `aliases` says which package
//! a name means, `score` decides what a title is about, `range` which versions,
//! `filter` what is no defect, `grade` how bad it is, and `matcher` does all of
//! it for a list. `check` says what that means for a host, and `github` keeps a
//! mirror of the tracker. Nothing here asks a host or prints.

mod aliases;
mod attributes;
mod check;
mod filter;
pub(crate) mod github;
mod grade;
mod inventory;
mod judge;
mod matcher;
mod range;
mod score;
mod sentence;
mod title;
mod vocabulary;
mod words;

pub(crate) use check::{Check, package_set_day};
pub use judge::{Judgement, Score, judge};
