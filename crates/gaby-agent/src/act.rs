//! Writes: weighed with the gate's own reads, proposed or carried out once, taken up after a crash,
//! and taken back.

use gaby_gate::approvals::{Approver, Present, approve, reject, replace};
use gaby_gate::dry_run::Rehearsal;
use gaby_gate::execute::{About, Intended, Outcome, Resumed, resume};
use gaby_gate::{Decided, Labelled, Ownership, OwnershipProof, Verified};
use gaby_model::{
    Action, ActionId, EvidenceId, Integrity, InvestigationId, Label, TicketId, Timestamp, ToolCall,
    ToolDefinition, ToolRef,
};
use gaby_store::Workspace;
use serde_json::{Value, json};
use tracing::Span;

use crate::brain::ActionWish;
use crate::budget::Meter;
use crate::error::AgentError;
use crate::followup;
use crate::hands::Hands;
use crate::investigate::values;
use crate::trace;

/// What the gate made of a write that the brain wants.
pub(crate) struct Weighed {
    /// What the gate said, for the timeline.
    pub(crate) decision: Value,
    /// What the reads that it made for it gave.
    pub(crate) reads: Value,
    /// What came of it.
    pub(crate) acted: Acted,
}

/// What came of a write.
pub(crate) enum Acted {
    /// The gate said no.
    Denied(String),
    /// It was only shown as it would be.
    Rehearsed(Rehearsal),
    /// It waits for a human.
    Proposed(Action),
    /// It was handed over: done, failed or unknown.
    Sent(Action),
}

/// For what a write is.
pub(crate) struct Purpose<'a> {
    pub(crate) investigation: &'a InvestigationId,
    pub(crate) ticket: &'a TicketId,
    pub(crate) now: Timestamp,
    pub(crate) life_millis: i64,
}

/// Weighs a write, and proposes it or carries it out.
pub(crate) async fn want(
    workspace: &Workspace,
    hands: &mut Hands,
    meter: &mut Meter,
    wish: &ActionWish,
    arguments: Labelled,
    purpose: &Purpose<'_>,
) -> Result<Weighed, AgentError> {
    let tool = &wish.call.tool;
    hands.learn_facts(meter).await?;
    let (before, ownership, reads) = look(hands, meter, tool, &arguments).await;
    let records = records(&before);
    let decided = hands
        .decide(tool, arguments, ownership, records, meter)
        .await?;
    let decision = serde_json::to_value(decided.decision()).unwrap_or(Value::Null);
    let about = About {
        investigation: purpose.investigation.clone(),
        ticket: purpose.ticket.clone(),
        summary: wish.summary.clone(),
        reason: match &wish.risk {
            Some(risk) => format!("{} Risk: {risk}", wish.call.why),
            None => wish.call.why.clone(),
        },
        state_before: before,
        undoes: None,
    };
    let acted = match decided {
        Decided::Denied(reason) => Acted::Denied(reason.to_string()),
        Decided::Read(_) => Acted::Denied(format!("`{tool}` only reads, so it changes nothing")),
        Decided::DryRun(rehearsed) => match hands.tool(tool) {
            Some(definition) => Acted::Rehearsed(
                rehearsed
                    .record(workspace, about, definition, purpose.now)
                    .await?,
            ),
            None => Acted::Denied(format!("`{tool}` is no longer offered")),
        },
        Decided::NeedsApproval(pending) => Acted::Proposed(
            pending
                .propose(workspace, about, purpose.now, purpose.life_millis)
                .await?,
        ),
        Decided::Write(permit) => {
            let intended = permit.intend(workspace, about, purpose.now).await?;
            Acted::Sent(carry_out(workspace, hands, intended, purpose.now).await?)
        }
    };
    if let Acted::Proposed(action) = &acted {
        trace::stands(&Span::current(), action);
    }
    Ok(Weighed {
        decision,
        reads,
        acted,
    })
}

/// The gate's own reads before a write: what it would change, and whose it is.
async fn look(
    hands: &Hands,
    meter: &mut Meter,
    tool: &ToolRef,
    arguments: &Labelled,
) -> (Value, Ownership, Value) {
    let Some(definition) = hands.tool(tool) else {
        return (Value::Null, Ownership::NotDeclared, Value::Null);
    };
    let before = preview(hands, meter, definition, arguments.value()).await;
    let ownership = owner(hands, meter, definition, arguments.value()).await;
    let shown = match &ownership {
        Ownership::NotDeclared => json!("not declared"),
        Ownership::NotProven { why } => json!({"not_shown": why}),
        Ownership::Proven(_) => json!("shown"),
    };
    let reads = json!({"before": before, "belongs_to_requester": shown});
    (before, ownership, reads)
}

/// How many records a preview shows; none where it shows nothing.
fn records(before: &Value) -> Option<u64> {
    match values::records(before).len() {
        0 => None,
        count => u64::try_from(count).ok(),
    }
}

/// What the preview read shows; null where there is none or it fails.
pub(crate) async fn preview(
    hands: &Hands,
    meter: &mut Meter,
    tool: &ToolDefinition,
    arguments: &Value,
) -> Value {
    let Some(follow_up) = &tool.preview else {
        return Value::Null;
    };
    let about = followup::About {
        args: Some(arguments),
        requester: hands.requester.as_ref(),
        ..followup::About::default()
    };
    let Ok(call) = followup::call(follow_up, &tool.tool, &about) else {
        return Value::Null;
    };
    let label = Label::of(Integrity::System);
    hands
        .follow(&call, label, meter)
        .await
        .unwrap_or(Value::Null)
}

/// Whether the gate's own read shows that the target belongs to the verified requester.
async fn owner(
    hands: &Hands,
    meter: &mut Meter,
    tool: &ToolDefinition,
    arguments: &Value,
) -> Ownership {
    let Some(follow_up) = &tool.owner_check else {
        return Ownership::NotDeclared;
    };
    let not_shown = |why: String| Ownership::NotProven { why };
    if !hands.asker().is_verified() {
        return not_shown("nobody vouches for who asks".to_owned());
    }
    let about = followup::About {
        args: Some(arguments),
        requester: hands.requester.as_ref(),
        ..followup::About::default()
    };
    let read = match followup::call(follow_up, &tool.tool, &about) {
        Ok(call) => {
            hands
                .follow(&call, Label::of(Integrity::System), meter)
                .await
        }
        Err(error) => return not_shown(error.to_string()),
    };
    let result = match read {
        Ok(result) => result,
        Err(error) => return not_shown(error.to_string()),
    };
    let about = followup::About {
        result: Some(&result),
        ..about
    };
    match followup::expected(follow_up, &about) {
        Ok(true) => match OwnershipProof::new(EvidenceId::generate(), arguments) {
            Ok(proof) => Ownership::Proven(proof),
            Err(error) => not_shown(error.to_string()),
        },
        Ok(false) => not_shown(format!("`{}` does not show it", follow_up.tool)),
        Err(error) => not_shown(error.to_string()),
    }
}

/// Sends a write whose intent is stored, records what became of it, and where nobody can tell asks
/// the tool's own `verify` read.
pub(crate) async fn carry_out(
    workspace: &Workspace,
    hands: &Hands,
    intended: Intended,
    now: Timestamp,
) -> Result<Action, AgentError> {
    let action = send(workspace, hands, intended, now).await?;
    trace::stands(&Span::current(), &action);
    Ok(action)
}

async fn send(
    workspace: &Workspace,
    hands: &Hands,
    intended: Intended,
    now: Timestamp,
) -> Result<Action, AgentError> {
    let (key, in_flight) = intended.send(workspace, now).await?;
    let outcome = hands.write(key).await;
    metrics::counter!("gaby_actions_total", "outcome" => word(&outcome)).increment(1);
    if let Outcome::Unknown(why) = &outcome {
        tracing::warn!(action = %in_flight.action().id, %why, "the outcome of a write is unclear");
        let id = in_flight.action().id.clone();
        let Some(tool) = hands.tool(&in_flight.action().call.tool) else {
            return Ok(in_flight.record(workspace, outcome, now).await?);
        };
        if tool.verify.is_some()
            && verify(hands, tool, in_flight.action()).await == Verified::Happened
        {
            let done = Outcome::Done(json!({"verified": true}));
            return Ok(in_flight.record(workspace, done, now).await?);
        }
        tracing::warn!(action = %id, "a human must look whether it happened");
    }
    Ok(in_flight.record(workspace, outcome, now).await?)
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
    }
}

/// What the tool's `verify` read says about a write.
async fn verify(hands: &Hands, tool: &ToolDefinition, action: &Action) -> Verified {
    let Some(follow_up) = &tool.verify else {
        return Verified::NotAsked;
    };
    let mut meter = Meter::resume(
        crate::budget::Budget::default(),
        gaby_model::Usage::default(),
    );
    let about = followup::About {
        args: Some(&action.call.arguments),
        before: Some(&action.state_before),
        requester: hands.requester.as_ref(),
        result: None,
    };
    let Ok(call) = followup::call(follow_up, &tool.tool, &about) else {
        return Verified::Unclear;
    };
    match hands
        .follow(&call, Label::of(Integrity::System), &mut meter)
        .await
    {
        Err(_) => Verified::Unclear,
        Ok(result) => {
            let about = followup::About {
                result: Some(&result),
                ..about
            };
            match followup::expected(follow_up, &about) {
                Ok(true) => Verified::Happened,
                Ok(false) => Verified::DidNotHappen,
                Err(_) => Verified::Unclear,
            }
        }
    }
}

/// Takes up a write that a crash interrupted; gives it as it stands then.
pub(crate) async fn take_up(
    workspace: &Workspace,
    hands: &Hands,
    action: &ActionId,
    now: Timestamp,
) -> Result<Action, AgentError> {
    let stored = workspace.actions().get(action).await?;
    let tool = hands.tool(&stored.call.tool);
    let mut verified = Verified::NotAsked;
    loop {
        match resume(workspace, action, tool, verified, now).await? {
            Resumed::Settled(action) => return Ok(action),
            Resumed::Send(intended) => return carry_out(workspace, hands, intended, now).await,
            Resumed::Verify(action) => {
                verified = match tool {
                    Some(tool) if verified == Verified::NotAsked => {
                        verify(hands, tool, &action).await
                    }
                    _ => Verified::Unclear,
                };
            }
        }
    }
}

/// Carries out what a person says yes to, if what they decided on still holds.
pub(crate) async fn approved(
    workspace: &Workspace,
    hands: &Hands,
    action: &Action,
    decision_hash: &str,
    approver: Approver<'_>,
    now: Timestamp,
) -> Result<Action, AgentError> {
    let tool = hands.tool(&action.call.tool);
    let mut meter = Meter::resume(
        crate::budget::Budget::default(),
        gaby_model::Usage::default(),
    );
    let state = match tool {
        Some(tool) => preview(hands, &mut meter, tool, &action.call.arguments).await,
        None => Value::Null,
    };
    let settled = hands.settled(&action.call.tool.connector).await?;
    let audience = hands.audience(&action.call.tool);
    let present = Present {
        tool: tool.filter(|_| settled.standing.revoked.is_none()),
        policy: &settled.policy,
        audience: &audience,
        state: &state,
        requester: hands.requester.as_ref().and_then(|r| r.email.as_deref()),
        now,
    };
    let intended = approve(workspace, &action.id, decision_hash, approver, &present).await?;
    carry_out(workspace, hands, intended, now).await
}

/// Puts a call with other arguments, which a person wrote, in the place of one that waits.
pub(crate) async fn edited(
    workspace: &Workspace,
    hands: &mut Hands,
    action: &Action,
    arguments: Value,
    editor: Approver<'_>,
    now: Timestamp,
    life_millis: i64,
) -> Result<Action, AgentError> {
    let tool = &action.call.tool;
    let not = |why: String| AgentError::NotEdited {
        action: action.id.clone(),
        why,
    };
    let mut meter = Meter::resume(
        crate::budget::Budget::default(),
        gaby_model::Usage::default(),
    );
    hands.learn_facts(&mut meter).await?;
    let arguments = Labelled::whole(arguments, Label::of(Integrity::Operator));
    let (before, ownership, _) = look(hands, &mut meter, tool, &arguments).await;
    let records = records(&before);
    let decided = hands
        .decide(tool, arguments, ownership, records, &meter)
        .await?;
    let pending = match decided {
        Decided::Denied(reason) => return Err(not(reason.to_string())),
        Decided::Read(_) => return Err(not(format!("`{tool}` changes nothing"))),
        Decided::DryRun(_) => {
            return Err(not(format!("`{}` is only rehearsed now", tool.connector)));
        }
        // A person who edits looks once more before it happens.
        Decided::Write(permit) => permit.ask(),
        Decided::NeedsApproval(pending) => pending,
    };
    Ok(replace(
        workspace,
        &action.id,
        pending,
        before,
        editor.user,
        now,
        life_millis,
    )
    .await?)
}

/// Records that a person says no.
pub(crate) async fn rejected(
    workspace: &Workspace,
    action: &ActionId,
    approver: Approver<'_>,
    reason: &str,
    now: Timestamp,
) -> Result<Action, AgentError> {
    Ok(reject(workspace, action, approver, reason, now).await?)
}

/// The call that takes an action back.
///
/// # Errors
/// When its tool declares none.
pub(crate) fn undo_call(hands: &Hands, action: &Action) -> Result<ToolCall, AgentError> {
    let not = |why: String| AgentError::NotUndoable {
        action: action.id.clone(),
        why,
    };
    let tool = hands
        .tool(&action.call.tool)
        .ok_or_else(|| not(format!("`{}` is no longer offered", action.call.tool)))?;
    let follow_up = tool
        .undo
        .as_ref()
        .ok_or_else(|| not(format!("`{}` declares no way back", tool.tool)))?;
    let about = followup::About {
        args: Some(&action.call.arguments),
        result: Some(&action.outcome),
        before: Some(&action.state_before),
        requester: hands.requester.as_ref(),
    };
    followup::call(follow_up, &tool.tool, &about).map_err(|error| not(error.to_string()))
}

/// Takes an action back for a person who asked for it: their word is the approval.
pub(crate) async fn undo(
    workspace: &Workspace,
    hands: &mut Hands,
    action: &Action,
    approver: Approver<'_>,
    now: Timestamp,
) -> Result<Action, AgentError> {
    let call = undo_call(hands, action)?;
    let mut meter = Meter::resume(
        crate::budget::Budget::default(),
        gaby_model::Usage::default(),
    );
    hands.learn_facts(&mut meter).await?;
    let arguments = Labelled::whole(call.arguments.clone(), Label::of(Integrity::Operator));
    let (before, ownership, _) = look(hands, &mut meter, &call.tool, &arguments).await;
    let records = records(&before);
    let decided = hands
        .decide(&call.tool, arguments, ownership, records, &meter)
        .await?;
    let about = About {
        investigation: action.investigation.clone(),
        ticket: action.ticket.clone(),
        summary: format!("Take back: {}", action.summary),
        reason: "A person asked for it.".to_owned(),
        state_before: before,
        undoes: Some(action.id.clone()),
    };
    match decided {
        Decided::DryRun(_) => Err(AgentError::NotUndoable {
            action: action.id.clone(),
            why: format!("`{}` is only rehearsed now", call.tool.connector),
        }),
        Decided::Denied(reason) => Err(AgentError::NotUndoable {
            action: action.id.clone(),
            why: reason.to_string(),
        }),
        Decided::Read(_) => Err(AgentError::NotUndoable {
            action: action.id.clone(),
            why: format!("`{}` changes nothing", call.tool),
        }),
        Decided::Write(permit) => {
            let intended = permit.intend(workspace, about, now).await?;
            carry_out(workspace, hands, intended, now).await
        }
        Decided::NeedsApproval(pending) => {
            let proposed = pending.propose(workspace, about, now, 0).await?;
            approved(
                workspace,
                hands,
                &proposed,
                &proposed.decision_hash,
                approver,
                now,
            )
            .await
        }
    }
}
