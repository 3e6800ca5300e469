//! The spans of an investigation, as OpenTelemetry's conventions for generative AI name them.
//!
//! One investigation is one trace: `invoke_agent gaby` holds its turns and steps, these the calls of
//! models (by `gaby-llm`), the gate's decisions, the calls of tools and the actions. Spans hold ids,
//! words of ours, names of tools and numbers. What people wrote stands in them only where the operator
//! switched that on, and then with what is personal hidden and what looks like a secret taken out.

use gaby_gate::Decision;
use gaby_gate::redact::Veil;
use gaby_model::telemetry::{self, SPANS};
use gaby_model::{
    Access, Action, CallKey, Investigation, Step, StepKind, ToolRef, ToolResult, Usage,
};
use gaby_store::Workspace;
use serde_json::Value;
use tracing::Span;
use tracing::field::Empty;

use crate::brain::llm::scrub;
use crate::error::AgentError;
use crate::hands::NoResult;
use crate::investigate::InvestigationResult;

/// What a tool was given, on its span.
pub(crate) const ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// What it gave.
pub(crate) const RESULT: &str = "gen_ai.tool.call.result";
/// Where passages come from, for those who read traces.
const KNOWLEDGE: &str = "knowledge_base";

/// The root of a trace.
pub(crate) fn investigation(workspace: &Workspace, investigation: &Investigation) -> Span {
    tracing::info_span!(
        target: SPANS,
        parent: None,
        "invoke_agent",
        "otel.name" = "invoke_agent gaby",
        "otel.kind" = "internal",
        "otel.status_code" = Empty,
        "gen_ai.operation.name" = "invoke_agent",
        "gen_ai.agent.name" = "gaby",
        "gen_ai.agent.version" = env!("CARGO_PKG_VERSION"),
        "gen_ai.conversation.id" = investigation.ticket.as_str(),
        "gen_ai.usage.input_tokens" = Empty,
        "gen_ai.usage.output_tokens" = Empty,
        "error.type" = Empty,
        "gaby.workspace.id" = workspace.id().as_str(),
        "gaby.ticket.id" = investigation.ticket.as_str(),
        "gaby.investigation.id" = investigation.id.as_str(),
        "gaby.brain" = investigation.brain.as_str(),
        "gaby.depth" = ?investigation.depth,
        "gaby.playbook" = Empty,
        "gaby.verdict" = Empty,
        "gaby.confidence" = Empty,
        "gaby.usage.model_calls" = Empty,
        "gaby.usage.tool_calls" = Empty,
        "gaby.usage.searches" = Empty,
        "gaby.usage.cost.micro_usd" = Empty,
    )
}

/// How an investigation ended, on its own span.
pub(crate) fn ended(span: &Span, result: &Result<InvestigationResult, AgentError>) {
    match result {
        Err(error) => failed(span, kind_of(error)),
        Ok(result) => {
            span.record("gaby.verdict", result.verdict.as_str());
            span.record("gaby.confidence", result.confidence.value());
            span.record("gaby.playbook", result.playbook.as_deref());
            let Usage {
                model_calls,
                tool_calls,
                searches,
                input_tokens,
                output_tokens,
                micro_usd,
                ..
            } = result.usage;
            span.record("gen_ai.usage.input_tokens", input_tokens);
            span.record("gen_ai.usage.output_tokens", output_tokens);
            span.record("gaby.usage.model_calls", u64::from(model_calls));
            span.record("gaby.usage.tool_calls", u64::from(tool_calls));
            span.record("gaby.usage.searches", u64::from(searches));
            span.record("gaby.usage.cost.micro_usd", micro_usd);
        }
    }
}

/// One turn of the brain: what it is asked, and what it says.
pub(crate) fn turn(number: usize) -> Span {
    tracing::info_span!(
        target: SPANS,
        "turn",
        "otel.kind" = "internal",
        "gaby.turn.number" = number as u64,
    )
}

/// One step; its number and id are recorded when it is.
pub(crate) fn step(kind: StepKind) -> Span {
    let word = match kind {
        StepKind::Plan => "plan",
        StepKind::Retrieve => "retrieve",
        StepKind::Call => "call",
        StepKind::Observe => "observe",
        StepKind::Conclude => "conclude",
    };
    tracing::info_span!(
        target: SPANS,
        "step",
        "otel.name" = format!("step {word}"),
        "otel.kind" = "internal",
        "gaby.step.kind" = word,
        "gaby.step.number" = Empty,
        "gaby.step.id" = Empty,
        "gaby.step.evidence" = Empty,
    )
}

/// That the step whose span this happens in is on record.
pub(crate) fn recorded(step: &Step) {
    let span = Span::current();
    span.record("gaby.step.number", u64::from(step.number));
    span.record("gaby.step.id", step.id.as_str());
    span.record("gaby.step.evidence", step.evidence.len() as u64);
}

/// A search of the knowledge base.
pub(crate) fn retrieval(top: usize) -> Span {
    tracing::info_span!(
        target: SPANS,
        "retrieval",
        "otel.name" = format!("retrieval {KNOWLEDGE}"),
        "otel.kind" = "internal",
        "otel.status_code" = Empty,
        "gen_ai.operation.name" = "retrieval",
        "gen_ai.data_source.id" = KNOWLEDGE,
        "gen_ai.request.top_k" = top as u64,
        "error.type" = Empty,
        "gaby.retrieval.passages" = Empty,
    )
}

/// What came of a search, on the span that it happens in.
pub(crate) fn retrieved<T, E>(found: &Result<Vec<T>, E>) {
    let span = Span::current();
    match found {
        Ok(passages) => {
            span.record("gaby.retrieval.passages", passages.len() as u64);
        }
        Err(_) => failed(&span, "search_failed"),
    }
}

/// A decision of the gate.
pub(crate) fn gate(tool: &ToolRef) -> Span {
    tracing::info_span!(
        target: SPANS,
        "gate_decision",
        "otel.name" = format!("gate_decision {tool}"),
        "otel.kind" = "internal",
        "gen_ai.tool.name" = %tool,
        "gaby.gate.decision" = Empty,
        "gaby.gate.risk" = Empty,
        "gaby.gate.reasons" = Empty,
    )
}

/// What the gate said, on the span of its decision: words and a number, since what a reason says for
/// people may hold an argument.
pub(crate) fn decided(span: &Span, decision: &Decision) {
    if span.is_disabled() {
        return;
    }
    span.record("gaby.gate.decision", decision.as_str());
    let (risk, reasons) = match decision {
        Decision::Allow { risk, .. } => (Some(risk), Vec::new()),
        Decision::DryRun { reasons, risk } | Decision::NeedsApproval { reasons, risk } => {
            (Some(risk), reasons.iter().collect())
        }
        Decision::Deny { reason } => (None, vec![reason]),
    };
    if let Some(risk) = risk {
        span.record("gaby.gate.risk", u64::from(risk.score));
    }
    if !reasons.is_empty() {
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code()).collect();
        span.record("gaby.gate.reasons", codes.join(","));
    }
}

/// A call of a tool that the gate let through.
pub(crate) fn tool(key: &impl CallKey, access: Access) -> Span {
    let tool = &key.call().tool;
    tracing::info_span!(
        target: SPANS,
        "execute_tool",
        "otel.name" = format!("execute_tool {tool}"),
        "otel.kind" = "internal",
        "otel.status_code" = Empty,
        "gen_ai.operation.name" = "execute_tool",
        "gen_ai.tool.name" = %tool,
        "gen_ai.tool.type" = "extension",
        "gen_ai.tool.call.id" = key.idempotency_key(),
        "gen_ai.tool.call.arguments" = Empty,
        "gen_ai.tool.call.result" = Empty,
        "error.type" = Empty,
        "gaby.tool.connector" = tool.connector.as_str(),
        "gaby.tool.access" = match access {
            Access::Read => "read",
            Access::Write => "write",
        },
    )
}

/// What came of a read, on its span.
pub(crate) async fn read(
    span: &Span,
    workspace: &Workspace,
    result: &Result<ToolResult, NoResult>,
) {
    match result {
        Ok(result) => content(span, workspace, RESULT, &result.value).await,
        Err(_) => failed(span, "tool_failed"),
    }
}

/// What people wrote, where the operator wants it in traces: hidden as from a model.
pub(crate) async fn content(
    span: &Span,
    workspace: &Workspace,
    field: &'static str,
    value: &Value,
) {
    if !telemetry::content_is_recorded() || span.is_disabled() {
        return;
    }
    let text = value.to_string();
    let clean = scrub::for_model(&text);
    // What cannot be hidden is not told.
    if let Ok(veil) = Veil::of(workspace).await
        && let Ok(hidden) = veil.hide(&clean).await
    {
        span.record(field, telemetry::shortened(&hidden));
    }
}

/// Something that is to be changed.
pub(crate) fn action(tool: &ToolRef) -> Span {
    tracing::info_span!(
        target: SPANS,
        "action",
        "otel.name" = format!("action {tool}"),
        "otel.kind" = "internal",
        "gen_ai.tool.name" = %tool,
        "gaby.action.id" = Empty,
        "gaby.action.state" = Empty,
        "gaby.action.risk" = Empty,
        "gaby.investigation.id" = Empty,
        "gaby.ticket.id" = Empty,
    )
}

/// An action that is taken up again, as when somebody approved it: a trace of its own, which names the
/// investigation that wanted it.
pub(crate) fn later(stored: &Action) -> Span {
    let span = action(&stored.call.tool);
    stands(&span, stored);
    span
}

/// Where an action stands, on its span.
pub(crate) fn stands(span: &Span, action: &Action) {
    span.record("gaby.action.id", action.id.as_str());
    span.record("gaby.action.state", action.state.as_str());
    span.record("gaby.action.risk", u64::from(action.risk));
    span.record("gaby.investigation.id", action.investigation.as_str());
    span.record("gaby.ticket.id", action.ticket.as_str());
}

/// That what a span stands for went wrong.
pub(crate) fn failed(span: &Span, kind: &'static str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}

fn kind_of(error: &AgentError) -> &'static str {
    match error {
        AgentError::Store(_) => "store",
        AgentError::Gate(_) => "gate",
        AgentError::Knowledge(_) => "search_failed",
        AgentError::Brain(_) => "brain",
        AgentError::Record { .. } => "record",
        // The conventions' word for what has none.
        _ => "_OTHER",
    }
}
