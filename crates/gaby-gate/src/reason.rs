//! Why a call was denied, or needs a human, in words for the person who reads it.

use gaby_model::tool::AlwaysHuman;
use gaby_model::{Autonomy, ToolRef};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// One reason of a decision. Serialised as `{"code", "message"}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nobody knows this tool.
    #[error("no connector offers a tool `{0}`")]
    UnknownTool(ToolRef),
    /// The definition that was looked up is that of another tool.
    #[error("the call is of `{called}`, but was weighed as `{defined}`")]
    WrongDefinition {
        /// What would be called.
        called: ToolRef,
        /// What was looked up.
        defined: ToolRef,
    },
    /// The tool's definition changed since it was approved, or the operator stopped it.
    #[error("`{tool}` is suspended: {why}")]
    Suspended {
        /// The tool.
        tool: ToolRef,
        /// Why it is suspended.
        why: String,
    },
    /// The operator forbids it.
    #[error("the operator forbids `{tool}`: {why}")]
    Forbidden {
        /// The tool.
        tool: ToolRef,
        /// What the operator wrote.
        why: String,
    },
    /// The connector's grant was taken back.
    #[error("`{connector}` was disconnected: {why}")]
    Revoked {
        /// The connector.
        connector: String,
        /// When or by whom, for people.
        why: String,
    },
    /// The connector's scope does not hold this call.
    #[error("the scope `{scope}` of `{}` does not hold `{tool}` with these arguments", tool.connector)]
    OutOfScope {
        /// The tool.
        tool: ToolRef,
        /// The scope.
        scope: &'static str,
    },
    /// One of the operator's rules forbids it.
    #[error("the rule `{rule}` in `{file}` forbids `{call}`{}", because(why))]
    RuleForbids {
        /// What would happen.
        call: String,
        /// The rule.
        rule: String,
        /// Its file.
        file: String,
        /// What it says for people.
        why: String,
    },
    /// None of the operator's rules permits it.
    #[error("no rule permits `{0}`")]
    NoRulePermits(String),
    /// One of the operator's rules leaves it to a human.
    #[error("the rule `{rule}` in `{file}` leaves this to a human{}", because(why))]
    RuleEscalates {
        /// The rule.
        rule: String,
        /// Its file.
        file: String,
        /// What it says for people.
        why: String,
    },
    /// The arguments are not something that can be decided on.
    #[error("the arguments of `{tool}` cannot be decided on: {why}")]
    Arguments {
        /// The tool.
        tool: ToolRef,
        /// What is wrong with them.
        why: String,
    },
    /// What the operator settled cannot be read, and an error in a policy is a denial.
    #[error("what the operator settled cannot be weighed: {0}")]
    Policy(String),
    /// The investigation has used what it may use.
    #[error("the budget of this investigation is used up: {0}")]
    Budget(String),
    /// A value would reach somebody who may not see it.
    #[error("the argument `{argument}` holds something that its recipient may not see")]
    NotForAudience {
        /// The argument.
        argument: String,
    },
    /// An argument holds a secret.
    #[error(
        "the argument `{argument}` holds what looks like a secret ({kind}), which is passed on to no other system"
    )]
    Secret {
        /// The argument.
        argument: String,
        /// What it looks like.
        kind: &'static str,
    },
    /// Writes are not even proposed at this autonomy.
    #[error(
        "the {holder} is set to `investigate`, where nothing is changed: set `{connector}` and \
         whatever else is lower to `propose` to be asked, or to `act`"
    )]
    ReadOnly {
        /// What holds the autonomy down.
        holder: &'static str,
        /// The connector.
        connector: String,
    },
    /// Writes are drafted, and a human applies them.
    #[error("the {holder} is set to `{autonomy}`: a human applies what Gaby proposes")]
    Proposes {
        /// What holds the autonomy down.
        holder: &'static str,
        /// The level.
        autonomy: Autonomy,
    },
    /// A kind of change that always needs a human.
    #[error("{}", always_human(*.0))]
    AlwaysHuman(AlwaysHuman),
    /// Nobody vouches for who asks.
    #[error("nobody vouches that the requester is who they say")]
    NotVerified,
    /// An argument has no declared role.
    #[error("nothing declares what the argument `{argument}` is for")]
    NoRole {
        /// The argument.
        argument: String,
    },
    /// No argument names what is changed.
    #[error("no argument is declared to name what is changed")]
    NoTarget,
    /// The target came from text that anybody could have written.
    #[error("the target `{argument}` comes from text that anybody could have written")]
    TargetNotTrusted {
        /// The argument.
        argument: String,
    },
    /// It is not shown that the target belongs to the requester.
    #[error("it is not shown that the target belongs to the requester: {0}")]
    NotOwned(String),
    /// The ownership read does not look at one of the targets.
    #[error("the read that shows whose it is does not look at `{argument}`")]
    TargetNotChecked {
        /// The argument.
        argument: String,
    },
    /// A parameter is neither one of a closed list nor a bounded number.
    #[error("the argument `{argument}` is neither one of a closed list nor within stated bounds")]
    NotBounded {
        /// The argument.
        argument: String,
    },
    /// It can neither be taken back nor safely be done twice.
    #[error("it can neither be taken back nor safely be done twice")]
    NoWayBack,
    /// Too many records at once.
    #[error("it changes {records} records, more than the {limit} that need no human")]
    Mass {
        /// How many.
        records: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// The risk is too high.
    #[error("its risk is {score}, and {threshold} or more needs a human")]
    Risky {
        /// The call's risk.
        score: u8,
        /// The workspace's threshold.
        threshold: u8,
    },
}

fn because(why: &str) -> String {
    match why.is_empty() {
        true => String::new(),
        false => format!(": {why}"),
    }
}

fn always_human(kind: AlwaysHuman) -> &'static str {
    match kind {
        AlwaysHuman::Money => "money moves: that always needs a human",
        AlwaysHuman::Deletion => "something is deleted for good: that always needs a human",
        AlwaysHuman::Privilege => {
            "somebody gets more rights or a credential: that always needs a human"
        }
        AlwaysHuman::Mfa => "multi-factor authentication changes: that always needs a human",
        AlwaysHuman::EmailAddress => "an e-mail address changes: that always needs a human",
        AlwaysHuman::Mass => "many records change at once: that always needs a human",
    }
}

impl Reason {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTool(_) => "unknown_tool",
            Self::WrongDefinition { .. } => "wrong_definition",
            Self::Suspended { .. } => "suspended",
            Self::Forbidden { .. } => "forbidden",
            Self::Revoked { .. } => "revoked",
            Self::OutOfScope { .. } => "out_of_scope",
            Self::RuleForbids { .. } => "rule_forbids",
            Self::NoRulePermits(_) => "no_rule_permits",
            Self::RuleEscalates { .. } => "rule_escalates",
            Self::TargetNotChecked { .. } => "target_not_checked",
            Self::Arguments { .. } => "arguments",
            Self::Policy(_) => "policy",
            Self::Budget(_) => "budget",
            Self::NotForAudience { .. } => "not_for_audience",
            Self::Secret { .. } => "secret",
            Self::ReadOnly { .. } => "read_only",
            Self::Proposes { .. } => "proposes",
            Self::AlwaysHuman(_) => "always_human",
            Self::NotVerified => "not_verified",
            Self::NoRole { .. } => "no_role",
            Self::NoTarget => "no_target",
            Self::TargetNotTrusted { .. } => "target_not_trusted",
            Self::NotOwned(_) => "not_owned",
            Self::NotBounded { .. } => "not_bounded",
            Self::NoWayBack => "no_way_back",
            Self::Mass { .. } => "mass",
            Self::Risky { .. } => "risky",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Reason", 2)?;
        out.serialize_field("code", self.code())?;
        out.serialize_field("message", &self.to_string())?;
        out.end()
    }
}
