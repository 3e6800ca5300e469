//! PDF: the text that it was made from, page by page. Scanned pages have none.
//!
//! The library that takes the text out may panic, loop or recurse on odd files, so it runs on its
//! own thread with its own stack and a time limit, and what it does there stays there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::mpsc;
use std::time::Duration;

use super::{Block, Heading, Reading, Syntax, title_from_path};
use crate::skip::SkipReason;

const STACK: usize = 64 * 1024 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(60);
const MAX_PAGES: usize = 5_000;
const THREAD: &str = "gaby-pdf";

/// Reads a PDF.
///
/// # Errors
/// When it cannot be read in time, or has no text.
pub fn read(path: &str, bytes: &[u8]) -> Result<Reading, SkipReason> {
    let pages = pages(bytes.to_vec())?;
    let mut text = String::new();
    let mut blocks = Vec::new();
    for (index, page) in pages.iter().take(MAX_PAGES).enumerate() {
        let start = text.len();
        text.push_str(&format!("Page {}", index + 1));
        let heading = start..text.len();
        text.push_str("\n\n");
        let before = blocks.len();
        blocks.push(Block {
            heading: Some(Heading {
                level: 1,
                text: text[heading.clone()].to_owned(),
            }),
            range: heading,
        });
        for paragraph in paragraphs(page) {
            let start = text.len();
            text.push_str(&paragraph);
            blocks.push(Block {
                range: start..text.len(),
                heading: None,
            });
            text.push_str("\n\n");
        }
        if blocks.len() == before + 1 {
            blocks.truncate(before);
            text.truncate(start);
        }
    }
    text.truncate(text.trim_end().len());
    let letters = pages
        .iter()
        .flat_map(|page| page.chars())
        .filter(|c| c.is_alphanumeric())
        .count();
    if letters < 20.min(pages.len() * 20) || blocks.is_empty() {
        return Err(SkipReason::PdfScanned);
    }
    Ok(Reading {
        title: title_from_path(path),
        text,
        syntax: Syntax::Plain,
        date: None,
        tags: Vec::new(),
        blocks,
    })
}

fn pages(bytes: Vec<u8>) -> Result<Vec<String>, SkipReason> {
    keep_panics_of_the_reader_quiet();
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name(THREAD.to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let read = catch_unwind(AssertUnwindSafe(|| {
                pdf_extract::extract_text_from_mem_by_pages(&bytes)
            }));
            let _ = sender.send(match read {
                Ok(Ok(pages)) => Ok(pages),
                Ok(Err(error)) => Err(super::one_line(&error.to_string())),
                Err(_) => Err("its structure is damaged or not supported".to_owned()),
            });
        })
        .map_err(|error| SkipReason::PdfFailed(error.to_string()))?;
    match receiver.recv_timeout(TIME_LIMIT) {
        Ok(pages) => pages.map_err(SkipReason::PdfFailed),
        Err(_) => Err(SkipReason::PdfFailed(format!(
            "it took longer than {} s",
            TIME_LIMIT.as_secs()
        ))),
    }
}

/// A panic on the reader's thread is an answer, not a crash: nothing is printed for it.
fn keep_panics_of_the_reader_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() != Some(THREAD) {
                before(info);
            }
        }));
    });
}

/// The paragraphs of a page, which blank lines part.
fn paragraphs(page: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = String::new();
    for line in page.lines() {
        let line = super::one_line(line);
        if line.is_empty() {
            if !open.is_empty() {
                done.push(std::mem::take(&mut open));
            }
            continue;
        }
        if !open.is_empty() {
            open.push('\n');
        }
        open.push_str(&line);
    }
    if !open.is_empty() {
        done.push(open);
    }
    done
}
