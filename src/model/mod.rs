//! The words of the program: newtypes, enums and plain data that every other
//! module speaks. No input or output happens here, and nothing here knows how
//! a value was obtained.

mod activation;
mod changes;
mod commit;
mod facts;
mod failure;
mod finding;
mod goal;
mod host_history;
mod host_spec;
mod host_status;
mod issue;
mod limits;
mod lint_spec;
mod mode;
mod names;
mod notify;
mod observed;
pub(crate) mod package_name;
mod pull_request;
mod recovery;
mod report;
mod resumed;
mod risk;
mod rollout;
mod run_spec;
mod secret;
mod step;
mod store_path;
mod system_diff;
pub(crate) mod text;
mod update;
mod version_order;

pub use activation::{ActivationPhase, ActivationState, Truth, UnitPlan};
pub use changes::{Changes, ClosureDiff, InstalledPackage, PackageChange, PackageChangeKind, SourceState};
pub use commit::Commit;
pub use facts::{
    Baseline, DeployedRecord, ElevationFact, HostFacts, LeftTrial, LockHolder, OrphanRun, UnitHealth,
};
pub use failure::{Failure, FailureClass};
pub use finding::{Finding, Place, Severity, Suppression};
pub use goal::{Existing, Goal, RecordedSystem, Target, Wanted};
pub use host_history::{HistoryEntry, HostHistory};
pub use host_spec::{BuildOn, Check, CheckKind, Elevate, HostSpec, NetworkCheck, RollbackPolicy, Timeouts};
pub use host_status::{Complaint, HostStatus, Room, Standing};
pub use issue::{
    Issue, IssueAdvice, IssueFinding, IssueIgnore, IssueMatch, IssueReport, IssueScope, IssueSettings,
    IssueSeverity, OnUnavailable, UnaffectedVersions, VersionFit,
};
pub use limits::{Bound, Limit, Limits, Watched};
pub use lint_spec::{Levels, LintSpec};
pub use mode::{Action, Mode};
pub use names::{HostName, NameError, RunId};
pub use notify::{NotifierKind, NotifierSpec, Occasion, SecretSource};
pub use observed::{CpuTimes, ErrorGroup, IdleService, Measured, Metric, Observed, Resource, ServiceMemory};
pub use pull_request::PullRequestSpec;
pub use recovery::{Recovery, RecoveryKind, RecoveryOutcome};
pub use report::{HostOutcome, HostReport, ServiceChange, StepRecord};
pub use resumed::{Committed, DoneHost, Pinned, Replaced, Resumed};
pub use risk::{
    DecidedBy, LockFileState, RiskAssessment, RiskLevel, RiskReason, UpdateCheck, UpdateDecision, UpdateOffer,
    Verdict,
};
pub use rollout::{Canary, Reboot, Rollout, Share, Strategy};
pub use run_spec::{Questions, RecoverPolicy, RunSpec, Substituter};
pub use secret::Secret;
pub use step::{Phase, StepId, StepOutcome};
pub use store_path::{StorePath, StorePathError};
pub use system_diff::{ComparedSystem, SystemDiff, UnitDiff};
pub use update::{
    BuildNeeds, HostPreview, InputMove, InputRevision, Precision, PreviewBase, StorageImpact, UpdatePreview,
};
pub(crate) use version_order::compare_versions;
