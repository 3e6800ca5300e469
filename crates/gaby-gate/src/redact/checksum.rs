//! Check digits.

/// Luhn's algorithm (ISO/IEC 7812-1, annex B) over decimal digits.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match place % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 7064, MOD 97-10, as ISO 13616 uses it: the first four characters go to the end, letters
/// count from 10.
pub(super) fn iban(compact: &str) -> bool {
    if compact.len() < 5 || !compact.is_ascii() {
        return false;
    }
    let (head, tail) = compact.split_at(4);
    let mut rest: u32 = 0;
    for c in tail.chars().chain(head.chars()) {
        let Some(value) = c.to_digit(36) else {
            return false;
        };
        rest = match value {
            0..=9 => (rest * 10 + value) % 97,
            _ => (rest * 100 + value) % 97,
        };
    }
    rest == 1
}

/// ISO 7064, MOD 11,10, over decimal digits with the check digit last.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let mut product = 10_u32;
    for digit in body {
        let sum = (u32::from(*digit) + product) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    (11 - product) % 10 == u32::from(*check)
}

/// The key of a French NIR: 97 less the number modulo 97, with the departments of Corsica as
/// numbers. `number` has 13 characters, `key` two digits.
pub(super) fn nir(number: &str, key: &str) -> bool {
    let plain = number.replace("2A", "19").replace("2B", "18");
    match (plain.parse::<u64>(), key.parse::<u64>()) {
        (Ok(number), Ok(key)) => 97 - number % 97 == key,
        _ => false,
    }
}

/// The decimal digits of a text.
pub(super) fn digits(text: &str) -> Vec<u8> {
    text.bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| digit - b'0')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_pass_and_one_changed_digit_fails() {
        for card in ["4111111111111111", "378282246310005", "6011111111111117"] {
            assert!(luhn(&digits(card)));
        }
        assert!(!luhn(&digits("4111111111111112")));
        for account in [
            "GB82WEST12345698765432",
            "DE89370400440532013000",
            "FR1420041010050500013M02606",
        ] {
            assert!(iban(account), "{account}");
        }
        assert!(!iban("GB82WEST12345698765431") && !iban("é") && !iban("GB82"));
        assert!(mod_11_10(&digits("86095742719")) && !mod_11_10(&digits("86095742718")));
        assert!(!mod_11_10(&[]));
        assert!(nir("2550814168025", "38") && !nir("2550814168025", "39") && !nir("x", "y"));
    }
}
