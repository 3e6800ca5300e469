//! Bars that show how far long work has come, on a terminal only.

use std::io::IsTerminal as _;
use std::sync::Mutex;

use gaby_knowledge::{Phase, Progress};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar for each phase, one at a time, on stderr.
pub(crate) struct Bars(Mutex<Option<(Phase, ProgressBar)>>);

impl Bars {
    /// Bars if somebody watches.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Ok(mut shown) = self.0.lock()
            && let Some((_, bar)) = shown.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn report(&self, phase: Phase, done: usize, total: usize) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let Ok(mut shown) = self.0.lock() else { return };
        match &mut *shown {
            Some((now, bar)) if *now == phase => {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            other => {
                if let Some((_, old)) = other.take() {
                    old.finish_and_clear();
                }
                let bar = ProgressBar::new(total as u64).with_message(phase.as_str());
                let shape = "{msg:>10} [{bar:30}] {pos}/{len} {eta}";
                if let Ok(style) = ProgressStyle::with_template(shape) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.set_position(done as u64);
                *other = Some((phase, bar));
            }
        }
    }
}
