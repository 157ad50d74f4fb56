//! Updating the inputs of a flake: the change of flake.lock that can always be
//! put back, and what the checks before it come to.
//!
//! Nothing here prints, asks or deploys: `commands/update` does.

pub(crate) mod decide;
mod durable;
mod lock_backup;
pub(crate) mod offers;
pub(crate) mod risk;
mod transaction_error;

pub(crate) use lock_backup::{FlakeLock, Found, LockUpdate, Recovered};
pub(crate) use transaction_error::TransactionError;
