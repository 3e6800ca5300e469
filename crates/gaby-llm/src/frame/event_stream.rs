//! AWS event streams (`application/vnd.amazon.eventstream`): length, header length, CRC of both,
//! headers, payload, CRC of everything. Big-endian, CRC-32.

use super::{Frame, Framing};

/// The longest message that is taken.
const LONGEST: usize = 1 << 20;
/// Lengths and their CRC.
const PRELUDE: usize = 12;

/// Cuts at message lengths, and checks both sums.
#[derive(Debug, Default)]
pub(crate) struct EventStream {
    rest: Vec<u8>,
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}

impl EventStream {
    fn message(&mut self) -> Result<Option<Frame>, String> {
        let Some(prelude) = self.rest.get(..PRELUDE) else {
            return Ok(None);
        };
        if crc32fast::hash(&prelude[..8]) != number(&prelude[8..]) {
            return Err("a message's head does not match its checksum".to_owned());
        }
        let (length, head) = (number(prelude) as usize, number(&prelude[4..]) as usize);
        if !(PRELUDE + 4..=LONGEST).contains(&length) || head > length - PRELUDE - 4 {
            return Err(format!("a message claims to have {length} bytes"));
        }
        if self.rest.len() < length {
            return Ok(None);
        }
        let message: Vec<u8> = self.rest.drain(..length).collect();
        let (body, sum) = message.split_at(length - 4);
        if crc32fast::hash(body) != number(sum) {
            return Err("a message does not match its checksum".to_owned());
        }
        let (headers, payload) = body[PRELUDE..].split_at(head);
        let mut frame = Frame {
            event: None,
            is_error: false,
            data: String::from_utf8(payload.to_vec()).map_err(|_| "it is not UTF-8".to_owned())?,
        };
        for (name, value) in headers_of(headers)? {
            match name.as_str() {
                ":event-type" | ":exception-type" | ":error-code" => frame.event = Some(value),
                ":message-type" => frame.is_error = value != "event",
                _ => {}
            }
        }
        Ok(Some(frame))
    }
}

/// The headers that are texts. Others are skipped by their length.
fn headers_of(mut bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let broken = || "a message's headers cannot be read".to_owned();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| broken());
    let mut headers = Vec::new();
    while let Some((length, after)) = bytes.split_first() {
        let (name, after) = after
            .split_at_checked(usize::from(*length))
            .ok_or_else(broken)?;
        let (kind, after) = after.split_first().ok_or_else(broken)?;
        let fixed = match kind {
            0 | 1 => Some(0),
            2 => Some(1),
            3 => Some(2),
            4 => Some(4),
            5 | 8 => Some(8),
            9 => Some(16),
            6 | 7 => None,
            _ => return Err(broken()),
        };
        let (length, after) = match fixed {
            Some(length) => (length, after),
            None => {
                let (length, after) = after.split_at_checked(2).ok_or_else(broken)?;
                (usize::from(length[0]) << 8 | usize::from(length[1]), after)
            }
        };
        let (value, after) = after.split_at_checked(length).ok_or_else(broken)?;
        if *kind == 7 {
            headers.push((text(name)?, text(value)?));
        }
        bytes = after;
    }
    Ok(headers)
}

impl Framing for EventStream {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, String> {
        self.rest.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = self.message()? {
            frames.push(frame);
        }
        Ok(frames)
    }

    fn end(&mut self) -> Result<Vec<Frame>, String> {
        if self.rest.is_empty() {
            Ok(Vec::new())
        } else {
            Err("it ends within a message".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in headers {
            head.push(name.len() as u8);
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&(value.len() as u16).to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        let length = (PRELUDE + head.len() + payload.len() + 4) as u32;
        let mut out = length.to_be_bytes().to_vec();
        out.extend_from_slice(&(head.len() as u32).to_be_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(payload.as_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out
    }

    #[test]
    fn messages_come_out_whole_and_a_changed_byte_is_noticed() {
        let one = message(
            &[(":message-type", "event"), (":event-type", "metadata")],
            "{}",
        );
        let two = message(
            &[
                (":message-type", "exception"),
                (":exception-type", "throttlingException"),
            ],
            "{\"a\":1}",
        );
        let mut stream = EventStream::default();
        let mut frames = Vec::new();
        for byte in one.iter().chain(&two) {
            frames.extend(stream.push(&[*byte]).unwrap());
        }
        assert!(stream.end().unwrap().is_empty());
        assert_eq!(frames[0].event.as_deref(), Some("metadata"));
        assert!(!frames[0].is_error && frames[1].is_error);
        assert_eq!(frames[1].event.as_deref(), Some("throttlingException"));
        for place in 0..one.len() {
            let mut changed = one.clone();
            changed[place] ^= 1;
            let mut stream = EventStream::default();
            let got = stream.push(&changed);
            assert!(got.is_err() || stream.end().is_err(), "byte {place}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut stream = EventStream::default();
            let _ = stream.push(&garbage);
            let _ = headers_of(&garbage);
        }
    }
}
