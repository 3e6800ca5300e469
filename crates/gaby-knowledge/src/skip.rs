//! Why a file is left out. Leaving one out is never fatal, and never silent.

use std::fmt;

use serde::{Serialize, Serializer};

/// The largest file that is read.
pub const MAX_FILE_BYTES: u64 = 20 * 1024 * 1024;

/// Why a file is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// Nothing in it but white space or markup.
    Empty,
    /// Over [`MAX_FILE_BYTES`].
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Not a text.
    Binary,
    /// Neither UTF-8, UTF-16 nor a Western single-byte encoding.
    BrokenEncoding,
    /// The system would not let it be read.
    Unreadable(String),
    /// A kind of file that is not understood.
    UnsupportedType(String),
    /// Markup nested so deep that it is hostile, not a document.
    TooDeep,
    /// The PDF could not be read.
    PdfFailed(String),
    /// The PDF holds pictures of text only.
    PdfScanned,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty: there is no text in it"),
            Self::TooLarge { bytes } => write!(
                f,
                "too large: {:.1} MB, over the limit of {} MB",
                *bytes as f64 / 1048576.0,
                MAX_FILE_BYTES / 1048576
            ),
            Self::Binary => f.write_str("binary: not a text file"),
            Self::BrokenEncoding => {
                f.write_str("broken encoding: neither UTF-8 nor UTF-16; save it as UTF-8")
            }
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
            Self::UnsupportedType(extension) => write!(
                f,
                "unsupported type .{extension}: Markdown, plain text, HTML and PDF are read"
            ),
            Self::TooDeep => f.write_str("nested too deep to be a document"),
            Self::PdfFailed(why) => write!(f, "PDF not readable: {why}"),
            Self::PdfScanned => {
                f.write_str("PDF without text: scanned pages need OCR before they can be read")
            }
        }
    }
}

impl Serialize for SkipReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Skipped {
    /// The file, as it was named or found.
    pub path: String,
    /// Why.
    #[schema(value_type = String)]
    pub reason: SkipReason,
}
