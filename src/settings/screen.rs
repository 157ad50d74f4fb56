//! How a run is shown: the flags and the terminal, merged once.

use super::env::Environment;
use crate::cli::{ColorArg, GlobalArgs, OutputArg};

/// How to show what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Lines that are redrawn on a terminal.
    Live,
    /// A line for each thing that happens.
    Plain,
    /// One event per line on standard output.
    Json,
    /// Only errors and the result.
    Quiet,
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// How to show what happens.
    pub(crate) output: Output,
    /// Whether standard error is coloured.
    pub(crate) talk_color: bool,
    /// Whether standard output is coloured.
    pub(crate) data_color: bool,
    /// Whether characters beyond ASCII can be shown.
    pub(crate) unicode: bool,
    /// How often `-v` was given.
    pub(crate) verbosity: u8,
}

impl Screen {
    /// Decides how to show a run.
    pub(crate) fn resolve(global: &GlobalArgs, environment: &Environment) -> Self {
        let terminals = environment.terminals;
        let live = terminals.stderr && !environment.is_dumb() && !environment.is_ci();
        let output = match global.output {
            _ if global.quiet => Output::Quiet,
            // Traced lines would tear the lines that are redrawn.
            OutputArg::Auto if live && global.verbose == 0 => Output::Live,
            OutputArg::Auto | OutputArg::Plain => Output::Plain,
            OutputArg::Json => Output::Json,
            OutputArg::Quiet => Output::Quiet,
        };
        let color = |is_terminal| match global.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => is_terminal && !environment.refuses_color(),
        };
        Self {
            output,
            talk_color: color(terminals.stderr),
            data_color: color(terminals.stdout),
            unicode: environment.is_utf8(),
            verbosity: global.verbose,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::env::{CI, NO_COLOR, TERM, Terminals};

    const NOWHERE: Terminals = Terminals { stdin: true, stdout: false, stderr: false };
    const BOTH: Terminals = Terminals { stdin: true, stdout: true, stderr: true };

    /// On a terminal that can redraw lines, unless `values` say otherwise.
    fn screen(terminals: Terminals, values: &[(&'static str, &str)], global: &GlobalArgs) -> Screen {
        let values = [&[(TERM, "xterm-256color")], values].concat();
        let mut environment = Environment::for_test(Path::new("/"), &values);
        environment.terminals = terminals;
        Screen::resolve(global, &environment)
    }

    #[test]
    fn only_a_real_terminal_is_drawn_on() {
        let auto = GlobalArgs::default();
        assert_eq!(screen(BOTH, &[], &auto).output, Output::Live);
        assert_eq!(screen(Terminals { stdout: false, ..BOTH }, &[], &auto).output, Output::Live);
        assert_eq!(screen(Terminals { stderr: false, ..BOTH }, &[], &auto).output, Output::Plain);
        for values in [(TERM, "dumb"), (TERM, ""), (CI, "true")] {
            assert_eq!(screen(BOTH, &[values], &auto).output, Output::Plain, "{values:?}");
        }
        let traced = GlobalArgs { verbose: 1, ..GlobalArgs::default() };
        assert_eq!(screen(BOTH, &[], &traced).output, Output::Plain);
    }

    #[test]
    fn colour_follows_the_flag_then_no_color_then_the_terminal_of_each_stream() {
        let color = |terminals, values: &[_], color| {
            let screen = screen(terminals, values, &GlobalArgs { color, ..GlobalArgs::default() });
            (screen.talk_color, screen.data_color)
        };
        assert_eq!(color(BOTH, &[], ColorArg::Auto), (true, true));
        assert_eq!(color(Terminals { stdout: false, ..BOTH }, &[], ColorArg::Auto), (true, false));
        assert_eq!(color(Terminals { stderr: false, ..BOTH }, &[], ColorArg::Auto), (false, true));
        for values in [(NO_COLOR, "1"), (TERM, "dumb"), (TERM, "")] {
            assert_eq!(color(BOTH, &[values], ColorArg::Auto), (false, false), "{values:?}");
        }
        assert_eq!(color(NOWHERE, &[(NO_COLOR, "1")], ColorArg::Always), (true, true));
        assert_eq!(color(BOTH, &[], ColorArg::Never), (false, false));
    }
}
