//! Words of the command line that stand for a value of the model.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::model::{Action, Mode};

const MODES: [(Mode, &str); 3] = [
    (Mode::Standard, "every check"),
    (Mode::Fast, "of the checks syntax alone; without the looks at resources, network and logs afterwards"),
    (Mode::Emergency, "only what a safe activation needs; no preview, no question"),
];

const ACTIONS: [(Action, &str); 4] = [
    (Action::Switch, "activate now and at every boot"),
    (Action::Boot, "activate with the next reboot"),
    (Action::Test, "activate now; a reboot returns to the old system"),
    (Action::DryActivate, "only ask the host what would happen"),
];

/// Reads a mode.
pub(crate) fn mode() -> impl TypedValueParser<Value = Mode> {
    words(MODES.map(|(mode, help)| (mode.as_str(), mode, help)))
}

/// Reads an action.
pub(crate) fn action() -> impl TypedValueParser<Value = Action> {
    words(ACTIONS.map(|(action, help)| (action.as_str(), action, help)))
}

fn words<T, const N: usize>(words: [(&'static str, T, &'static str); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Default + Send + Sync + 'static,
{
    let possible = words.map(|(word, _, help)| PossibleValue::new(word).help(help));
    PossibleValuesParser::new(possible).map(move |text| {
        // clap only lets the words above through.
        words.iter().find(|(word, ..)| *word == text).map(|(_, value, _)| *value).unwrap_or_default()
    })
}
