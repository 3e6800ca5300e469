//! What to do about a write that a crash interrupted.
//!
//! A write is at most once by default. It is sent again only when the vendor keeps our idempotency
//! key, or when the tool's own `verify` read says what became of it.

use gaby_model::{Action, ActionState, Timestamp, ToolDefinition};

/// How long vendors remember an idempotency key; after that a resend could be a second write.
pub const IDEMPOTENCY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// What the tool's `verify` read said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Not asked yet.
    NotAsked,
    /// It happened.
    Happened,
    /// It did not happen.
    DidNotHappen,
    /// The read failed or gave no answer.
    Unclear,
}

/// How to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Nothing reached the vendor, or sending again is the same as once: send, under the same key.
    MaySend,
    /// Ask the tool's `verify` read first.
    Verify,
    /// It happened: record it as done.
    Done,
    /// Nobody can tell: a human must look.
    Unknown,
    /// Nothing is left to do.
    Settled,
}

/// Says how to go on with an action that was found after a restart or a timeout. `tool` is none
/// when its connector no longer offers it. The age of its key is counted from when it was decided,
/// which is never later than when it was sent.
#[must_use]
pub fn recover(
    action: &Action,
    tool: Option<&ToolDefinition>,
    verified: Verified,
    now: Timestamp,
) -> Resume {
    match action.state {
        ActionState::Intended => Resume::MaySend,
        ActionState::Sent | ActionState::Unknown => {
            let Some(tool) = tool else {
                return Resume::Unknown;
            };
            // A clock that went back must not make an old key look young.
            let young = action.decided_at.is_some_and(|decided| {
                (0..IDEMPOTENCY_MILLIS).contains(&now.millis_since(decided))
            });
            let may_repeat = tool.idempotent && young && action.state == ActionState::Sent;
            match verified {
                Verified::Happened => Resume::Done,
                Verified::NotAsked if tool.verify.is_some() => Resume::Verify,
                Verified::NotAsked | Verified::DidNotHappen if may_repeat => Resume::MaySend,
                Verified::NotAsked | Verified::DidNotHappen | Verified::Unclear => Resume::Unknown,
            }
        }
        ActionState::Proposed
        | ActionState::Approved
        | ActionState::Done
        | ActionState::Failed
        | ActionState::Rejected
        | ActionState::Expired
        | ActionState::Void
        | ActionState::Undone => Resume::Settled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use gaby_model::tool::FollowUp;

    fn decided() -> Timestamp {
        Timestamp::from_millis(1_000_000)
    }

    fn resume(
        state: ActionState,
        idempotent: bool,
        verify: bool,
        said: Verified,
        age: i64,
    ) -> Resume {
        let mut tool = fixtures::unlock();
        tool.idempotent = idempotent;
        tool.verify = verify.then(|| FollowUp {
            tool: "state".to_owned(),
            arguments: [].into(),
            expect: None,
        });
        let mut action = fixtures::action(state);
        action.decided_at = Some(decided());
        recover(&action, Some(&tool), said, decided().plus_millis(age))
    }

    #[test]
    fn what_was_never_sent_may_be_sent() {
        let said = Verified::NotAsked;
        assert_eq!(
            resume(ActionState::Intended, false, false, said, 0),
            Resume::MaySend
        );
    }

    #[test]
    fn what_was_sent_is_sent_again_only_under_a_key_that_the_vendor_still_knows() {
        use Verified::{DidNotHappen, Happened, NotAsked, Unclear};
        let old = IDEMPOTENCY_MILLIS;
        for (idempotent, verify, said, age, expected) in [
            (false, false, NotAsked, 1, Resume::Unknown),
            (true, false, NotAsked, 1, Resume::MaySend),
            (true, false, NotAsked, old, Resume::Unknown),
            (true, false, NotAsked, -1, Resume::Unknown),
            (true, true, NotAsked, 1, Resume::Verify),
            (false, true, NotAsked, 1, Resume::Verify),
            (true, true, DidNotHappen, 1, Resume::MaySend),
            (true, true, DidNotHappen, old, Resume::Unknown),
            (false, true, DidNotHappen, 1, Resume::Unknown),
            (true, true, Unclear, 1, Resume::Unknown),
            (false, true, Happened, old, Resume::Done),
        ] {
            assert_eq!(
                resume(ActionState::Sent, idempotent, verify, said, age),
                expected,
                "idempotent {idempotent}, verify {verify}, {said:?}, age {age}"
            );
        }
    }

    #[test]
    fn what_was_decided_as_unknown_is_never_sent_again_by_itself() {
        let said = Verified::DidNotHappen;
        assert_eq!(
            resume(ActionState::Unknown, true, true, said, 1),
            Resume::Unknown
        );
    }

    #[test]
    fn a_tool_that_is_gone_leaves_the_outcome_unknown() {
        let action = fixtures::action(ActionState::Sent);
        let resume = recover(&action, None, Verified::NotAsked, decided());
        assert_eq!(resume, Resume::Unknown);
    }

    #[test]
    fn what_has_ended_is_left_alone() {
        for state in [
            ActionState::Done,
            ActionState::Rejected,
            ActionState::Proposed,
        ] {
            assert_eq!(
                resume(state, true, true, Verified::NotAsked, 0),
                Resume::Settled
            );
        }
    }
}
