//! The exit codes: one list, documented in the README and tested against it.

use crate::model::FailureClass;

/// An exit code with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode {
    /// The number the process returns.
    pub code: u8,
    /// What it means, in the words of the README.
    pub meaning: &'static str,
}

/// Done, or nothing to do.
pub const OK: ExitCode = ExitCode { code: 0, meaning: "done, or nothing to do" };
/// Unexpected error.
pub const UNEXPECTED: ExitCode = ExitCode { code: 1, meaning: "unexpected error" };
/// Wrong usage or configuration.
pub const USAGE: ExitCode = ExitCode { code: 2, meaning: "wrong usage or configuration" };
/// Blocked by validation or by risk.
pub const BLOCKED: ExitCode = ExitCode { code: 3, meaning: "blocked by validation or by risk" };
/// Evaluation or build failed.
pub const BUILD: ExitCode = ExitCode { code: 4, meaning: "evaluation or build failed" };
/// Host unreachable or not fit.
pub const UNFIT: ExitCode = ExitCode { code: 5, meaning: "host unreachable or not fit" };
/// Deploy failed, host is back on its old system.
pub const ROLLED_BACK: ExitCode =
    ExitCode { code: 6, meaning: "deploy failed, host is back on its old system" };
/// Deploy failed and the host's state is not good or not known.
pub const NOT_WELL: ExitCode =
    ExitCode { code: 7, meaning: "deploy failed and the host's state is not good or not known" };
/// Declined by the person.
pub const DECLINED: ExitCode = ExitCode { code: 8, meaning: "declined by the person" };
/// Another deploy holds the host.
pub const BUSY: ExitCode = ExitCode { code: 9, meaning: "another deploy holds the host" };
/// Interrupted.
pub const INTERRUPTED: ExitCode = ExitCode { code: 130, meaning: "interrupted" };

/// Every exit code, in the order of the README's table.
pub const ALL: [ExitCode; 11] =
    [OK, UNEXPECTED, USAGE, BLOCKED, BUILD, UNFIT, ROLLED_BACK, NOT_WELL, DECLINED, BUSY, INTERRUPTED];

/// From the mildest to the worst; with several hosts the worst decides.
const BY_SEVERITY: [ExitCode; 11] =
    [OK, DECLINED, BUSY, INTERRUPTED, BLOCKED, BUILD, UNFIT, USAGE, UNEXPECTED, ROLLED_BACK, NOT_WELL];

/// The exit code of a failure.
pub fn of(class: FailureClass) -> ExitCode {
    match class {
        FailureClass::Unexpected => UNEXPECTED,
        FailureClass::Usage => USAGE,
        FailureClass::Blocked => BLOCKED,
        FailureClass::Build => BUILD,
        FailureClass::Unfit => UNFIT,
        FailureClass::RolledBack => ROLLED_BACK,
        FailureClass::HostNotWell => NOT_WELL,
        FailureClass::Declined => DECLINED,
        FailureClass::Busy => BUSY,
        FailureClass::Interrupted => INTERRUPTED,
    }
}

/// The worst of several; `OK` of none.
pub fn worst(codes: impl IntoIterator<Item = ExitCode>) -> ExitCode {
    let rank = |code: &ExitCode| BY_SEVERITY.iter().position(|other| other == code);
    codes.into_iter().max_by_key(rank).unwrap_or(OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_place_in_the_order_of_severity() {
        for code in ALL {
            assert!(BY_SEVERITY.contains(&code), "{code:?}");
        }
    }

    #[test]
    fn the_worst_host_decides() {
        assert_eq!(worst([OK, UNFIT, ROLLED_BACK]), ROLLED_BACK);
        assert_eq!(worst([NOT_WELL, INTERRUPTED]), NOT_WELL);
        assert_eq!(worst([OK, DECLINED]), DECLINED);
        assert_eq!(worst([]), OK);
    }

    #[test]
    fn the_readme_lists_exactly_these_codes() {
        let readme = include_str!("../README.md");
        for code in ALL {
            let row = format!("| {} | {} |", code.code, code.meaning);
            assert!(readme.contains(&row), "README lacks {row:?}");
        }
    }
}
