//! Sealing: one value, one place, one key.
//!
//! A sealed value is `0x01 ‖ key version (4) ‖ commitment (16) ‖ nonce (24) ‖ ciphertext and tag`,
//! XChaCha20-Poly1305 with a random nonce. The place (workspace, table, row, column, key version) is
//! bound as associated data, each part with its length before it, so a value that is copied
//! elsewhere does not open. The cipher does not commit to its key; the commitment does, and tells a
//! wrong key from a changed value.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keys::{Secret, random, subkey};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4 + 16 + 24;

/// A place that a value is sealed to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub row: &'a str,
    /// The column.
    pub column: &'static str,
}

/// Seals and opens the values of one owner: a workspace, or the instance.
pub struct Sealer {
    owner: String,
    version: u32,
    commitment: [u8; 16],
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    /// A sealer for `owner` with the subkey `purpose` of its data key.
    pub(crate) fn new(owner: &str, version: u32, data_key: &Secret, purpose: &str) -> Self {
        let key = subkey(data_key, purpose);
        let committed = subkey(data_key, &format!("{purpose}/commitment"));
        let mut commitment = [0; 16];
        commitment.copy_from_slice(&committed[..16]);
        Self {
            owner: owner.to_owned(),
            version,
            commitment,
            cipher: XChaCha20Poly1305::new((&*key).into()),
        }
    }

    /// A sealer with a fixed key, to measure with.
    #[doc(hidden)]
    #[must_use]
    pub fn for_bench() -> Self {
        Self::new("bench", 1, &Zeroizing::new([7; 32]), "content")
    }

    /// Seals bytes to a place.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; 24] = random();
        let mut out = Vec::with_capacity(HEADER + plain.len() + 16);
        out.push(FORMAT);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.commitment);
        out.extend_from_slice(&nonce);
        let payload = Payload {
            msg: plain,
            aad: &self.associated_data(place),
        };
        // The cipher fails only beyond 256 GiB; such a value could not be in memory here.
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens bytes that were sealed to this place.
    ///
    /// # Errors
    /// When the value was changed, was sealed to another place, or with another key.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let refuse = || StoreError::Unsealable {
            table: place.table,
            row: place.row.chars().take(60).collect(),
            column: place.column,
        };
        if sealed.len() < HEADER + 16
            || sealed[0] != FORMAT
            || sealed[1..5] != self.version.to_be_bytes()
            || sealed[5..21] != self.commitment
        {
            return Err(refuse());
        }
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&sealed[21..HEADER]);
        let payload = Payload {
            msg: &sealed[HEADER..],
            aad: &self.associated_data(place),
        };
        self.cipher
            .decrypt(&XNonce::from(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| refuse())
    }

    /// Seals a value as JSON.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn seal_json<T: Serialize>(
        &self,
        place: Place<'_>,
        value: &T,
    ) -> Result<Vec<u8>, StoreError> {
        let plain = Zeroizing::new(serde_json::to_vec(value).map_err(StoreError::corrupt)?);
        Ok(self.seal(place, &plain))
    }

    /// Opens a value that was sealed as JSON.
    ///
    /// # Errors
    /// As [`Sealer::open`], and when the value is of another shape.
    pub fn open_json<T: DeserializeOwned>(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let plain = self.open(place, sealed)?;
        serde_json::from_slice(&plain).map_err(|error| {
            StoreError::Corrupt(format!(
                "{}.{} of {}: {error}",
                place.table, place.column, place.row
            ))
        })
    }

    fn associated_data(&self, place: Place<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        for part in [
            "gaby/seal/v1",
            &self.owner,
            place.table,
            place.row,
            place.column,
        ] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(&self.version.to_be_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealer(owner: &str, key: u8) -> Sealer {
        Sealer::new(owner, 1, &Zeroizing::new([key; 32]), "content")
    }

    fn at(row: &str) -> Place<'_> {
        Place {
            table: "tickets",
            row,
            column: "content",
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_only_at_its_place_with_its_key(
            plain in proptest::collection::vec(any::<u8>(), 0..500), row in "[a-z]{1,8}", other in "[a-z]{1,8}",
        ) {
            let a = sealer("a", 1);
            let sealed = a.seal(at(&row), &plain);
            prop_assert_eq!(&*a.open(at(&row), &sealed).unwrap(), &plain);
            prop_assert!(sealer("b", 1).open(at(&row), &sealed).is_err());
            prop_assert!(sealer("a", 2).open(at(&row), &sealed).is_err());
            let elsewhere = Place { table: "messages", ..at(&row) };
            prop_assert!(a.open(elsewhere, &sealed).is_err());
            let elsewhere = Place { column: "body", ..at(&row) };
            prop_assert!(a.open(elsewhere, &sealed).is_err());
            if other != row {
                prop_assert!(a.open(at(&other), &sealed).is_err());
            }
        }

        #[test]
        fn any_changed_byte_is_refused(plain in proptest::collection::vec(any::<u8>(), 0..64), at_byte in any::<usize>(), flip in 1u8..) {
            let a = sealer("a", 1);
            let mut sealed = a.seal(at("r"), &plain);
            let index = at_byte % sealed.len();
            sealed[index] ^= flip;
            prop_assert!(a.open(at("r"), &sealed).is_err());
        }

        #[test]
        fn garbage_is_refused_without_panic(garbage in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(sealer("a", 1).open(at("r"), &garbage).is_err());
        }
    }

    #[test]
    fn of_ten_thousand_values_that_are_swapped_none_opens() {
        let a = sealer("a", 1);
        let rows: Vec<String> = (0..101).map(|row| format!("row {row}")).collect();
        let sealed: Vec<Vec<u8>> = rows.iter().map(|row| a.seal(at(row), b"x")).collect();
        let mut swapped = 0;
        for (from, value) in sealed.iter().enumerate() {
            for (to, row) in rows.iter().enumerate() {
                assert_eq!(a.open(at(row), value).is_ok(), from == to, "{from} at {to}");
                swapped += usize::from(from != to);
            }
        }
        assert!(swapped >= 10_000, "{swapped}");
    }

    #[test]
    fn of_a_million_nonces_none_comes_twice() {
        let a = sealer("a", 1);
        let mut nonces: Vec<[u8; 24]> = (0..1_000_000)
            .map(|_| {
                let sealed = a.seal(at("r"), b"");
                sealed[HEADER - 24..HEADER].try_into().unwrap()
            })
            .collect();
        nonces.sort_unstable();
        nonces.dedup();
        assert_eq!(nonces.len(), 1_000_000);
    }

    #[test]
    fn parts_of_a_place_cannot_be_shifted_into_one_another() {
        let a = sealer("a", 1);
        let one = Place {
            table: "t",
            row: "ab",
            column: "c",
        };
        let two = Place {
            table: "ta",
            row: "b",
            column: "c",
        };
        assert!(a.open(two, &a.seal(one, b"x")).is_err());
    }
}
