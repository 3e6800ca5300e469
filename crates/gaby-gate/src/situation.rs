//! What surrounds a call, as far as the operator's rules and the risk may depend on it.

use std::collections::BTreeSet;

use gaby_model::Timestamp;
use serde::{Deserialize, Serialize};

/// What surrounds a call: the operator's or a connected system's word, but for the category, which
/// is what Gaby made of the ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Situation {
    /// The workspace's short name.
    pub workspace: String,
    /// The source that the ticket came from.
    pub source: String,
    /// What kind of request it is.
    pub category: String,
    /// The playbook that is followed; empty when none is.
    pub playbook: String,
    /// The environment that the connector stands for, such as `production`; empty when not said.
    pub environment: String,
    /// What connected systems say about the requester, as `name=value` (`plan=enterprise`);
    /// `facts=unknown` where they could not be asked.
    pub facts: BTreeSet<String>,
    /// When it happens, by the workspace's own clock; none when nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moment: Option<Moment>,
    /// How often the tool has been carried out in this workspace; none when nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_before: Option<u32>,
}

/// A time of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Day of the week, from 0 for Monday to 6 for Sunday.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
}

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

impl Moment {
    /// The time of the week at this moment, so many minutes east of UTC.
    #[must_use]
    pub fn at(now: Timestamp, utc_offset_minutes: i32) -> Self {
        let minutes = now.as_millis().div_euclid(60_000) + i64::from(utc_offset_minutes);
        let (day, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
        Self {
            // The first of January 1970 was a Thursday.
            day: u8::try_from((day + 3).rem_euclid(7)).unwrap_or(0),
            hour: u8::try_from(minute / 60).unwrap_or(0),
        }
    }

    /// The day's name, in small letters.
    #[must_use]
    pub fn weekday(self) -> &'static str {
        DAYS[usize::from(self.day) % 7]
    }

    /// Whether few people are there to notice: at night or at the weekend.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        self.day >= 5 || !(7..19).contains(&self.hour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_of_the_workspaces_own_clock() {
        // Thursday, 1 January 1970, 00:30 UTC.
        let now = Timestamp::from_millis(30 * 60_000);
        let utc = Moment::at(now, 0);
        assert_eq!((utc.weekday(), utc.hour), ("thursday", 0));
        let west = Moment::at(now, -60);
        assert_eq!((west.weekday(), west.hour), ("wednesday", 23));
        let noon = Moment::at(Timestamp::from_millis(36 * 3_600_000), 0);
        assert_eq!((noon.weekday(), noon.hour), ("friday", 12));
        assert!(utc.is_quiet() && !noon.is_quiet());
    }
}
