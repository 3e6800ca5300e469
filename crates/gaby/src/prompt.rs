//! Asking the person at the terminal. Where there is none, the flag that answers is named instead.

use std::io::IsTerminal as _;

use dialoguer::{Confirm, Input, Password};

use crate::failure::usage;

/// Whether somebody is there to answer.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A line, with what is taken when nothing is typed.
pub(crate) fn line(question: &str, default: Option<&str>) -> anyhow::Result<String> {
    let mut input = Input::<String>::new()
        .with_prompt(question)
        .allow_empty(default == Some(""));
    if let Some(default) = default {
        input = input
            .default(default.to_owned())
            .show_default(!default.is_empty());
    }
    Ok(input.interact_text()?)
}

/// A secret, which is not shown while it is typed.
pub(crate) fn secret(question: &str) -> anyhow::Result<String> {
    Ok(Password::new().with_prompt(question).interact()?)
}

/// Yes or no; `flag` says yes without being asked.
pub(crate) fn confirm(question: &str, flag: &str) -> anyhow::Result<bool> {
    if !somebody_is_there() {
        return Err(usage(format!(
            "{question} Nobody is there to say yes: add {flag}"
        )));
    }
    Ok(Confirm::new()
        .with_prompt(question)
        .default(false)
        .interact()?)
}
