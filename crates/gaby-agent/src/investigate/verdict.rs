//! VERDICT and WRITING_BACK: what was concluded is checked, acted on as far as the gate lets, and
//! written back once.

use std::time::Instant;

use gaby_gate::Reason;
use gaby_gate::dry_run::Rehearsal;
use gaby_model::{
    Action, ActionState, Author, Citation, Confidence, Evidence, EvidenceId, InvestigationState,
    Label, Message, MessageId, Origin, Readers, StepKind, TicketState, Verdict,
};
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::recall::Detail;
use super::speech::Speaker;
use super::{InvestigationResult, Run, record, values};
use crate::act::{self, Acted, Purpose};
use crate::brain::{ActionWish, CitedSentence, Conclusion, Ending, Want, llm};
use crate::error::AgentError;
use crate::escalate::EvidenceBundle;
use crate::reply::{self, Reply, Rigor, Unsupported};
use crate::trace;

/// How an investigation ends, before it is written back.
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    pub(crate) confidence: f64,
    pub(crate) reply: Reply,
    pub(crate) escalation: Option<EvidenceBundle>,
    pub(crate) ticket: TicketState,
    /// Whether the reply is written into the conversation now.
    pub(crate) send: bool,
}

impl Run<'_> {
    /// Weighs what the brain concluded, and acts on it.
    pub(crate) async fn weigh(&mut self, end: Want) -> Result<Ended, AgentError> {
        match end {
            Want::Conclude(conclusion) => match &conclusion.action {
                Some(wish) if conclusion.ending == Ending::Answer => {
                    let wish = wish.clone();
                    self.act(conclusion, wish).await
                }
                _ => {
                    self.hands.learn_facts(&mut self.meter).await?;
                    let may_answer = self.hands.may_answer().await?;
                    Ok(self.answer_or_hand_over(&conclusion, may_answer))
                }
            },
            Want::Ask { question, why } => Ok(self.ask(&question, &why)),
            Want::Search(_) | Want::Call(_) | Want::Several { .. } => Ok(self.hand_over(
                "The investigation came to no conclusion.".to_owned(),
                None,
                &[],
            )),
        }
    }

    /// Who a reply reaches. Nobody in particular unless somebody vouches for the requester, or the
    /// source's replies reach only the requester's own address.
    pub(super) fn audience(&self) -> String {
        let vouched = self.ticket.requester.as_ref().is_some_and(|r| r.verified);
        let source = self.agent.settings().source(&self.ticket.source);
        values::audience(&self.transcript.case)
            .filter(|_| vouched || source.reply_reaches_address)
            .unwrap_or_else(|| "anybody".to_owned())
    }

    fn answer_or_hand_over(
        &self,
        conclusion: &Conclusion,
        may_answer: Result<(), Reason>,
    ) -> Ended {
        if conclusion.ending == Ending::Escalate {
            let reason = conclusion
                .escalation
                .clone()
                .unwrap_or_else(|| conclusion.because.clone());
            return self.hand_over(reason, conclusion.next_step.clone(), &conclusion.sentences);
        }
        let reply = self.checked(&conclusion.sentences, conclusion.in_view);
        let unfit = match may_answer {
            Ok(()) => unfit(&reply),
            Err(reason) => Some(format!("Gaby may not answer this by herself: {reason}.")),
        };
        match unfit {
            Some(reason) => {
                self.hand_over(reason, conclusion.next_step.clone(), &conclusion.sentences)
            }
            None => Ended {
                verdict: Verdict::Resolved,
                confidence: conclusion.confidence,
                reply,
                escalation: None,
                ticket: TicketState::Resolved,
                send: true,
            },
        }
    }

    fn checked(&self, sentences: &[CitedSentence], in_view: Option<usize>) -> Reply {
        let speaker = self.speaker(in_view);
        let mut held = Vec::new();
        let sentences: Vec<CitedSentence> = sentences
            .iter()
            .filter(
                |sentence| match speaker.may_say(sentence, &self.transcript.evidence) {
                    Ok(()) => true,
                    Err(leak) => {
                        held.push((sentence.text.clone(), Unsupported::Leaks(leak.to_string())));
                        false
                    }
                },
            )
            .cloned()
            .collect();
        let mut reply = reply::build(
            &sentences,
            &self.transcript.evidence,
            Some(&self.audience()),
            self.rigor(),
        );
        reply.left_out.extend(held);
        for (sentence, why) in &reply.left_out {
            tracing::info!(%why, length = sentence.len(), "a sentence was left out");
        }
        reply
    }

    /// How closely a sentence must follow its evidence. A model may say it in its own words.
    fn rigor(&self) -> Rigor {
        match self.investigation.brain == llm::NAME {
            true => Rigor::Facts,
            false => Rigor::Words,
        }
    }

    /// Whoever wrote with so many turns in view.
    fn speaker(&self, in_view: Option<usize>) -> Speaker<'_> {
        Speaker {
            vouched: !self.hands.flows_are_checked,
            audience: self.audience(),
            seen: match in_view {
                Some(turns) => self.transcript.seen_in(turns),
                None => self.transcript.seen(),
            },
            hosts: &self.hands.link_hosts,
        }
    }

    /// Asks the requester. A question claims nothing, so it rests on the ticket alone.
    fn ask(&self, question: &str, why: &str) -> Ended {
        if let Err(leak) = self.speaker(None).may_ask(question) {
            return self.hand_over(
                format!("The requester must be asked something, but not as it was put: {leak}."),
                None,
                &[],
            );
        }
        let reply = Reply {
            text: question.to_owned(),
            ..Reply::default()
        };
        let mut ended = self.hand_over(
            format!("The requester must be asked: {question} {why}"),
            None,
            &[],
        );
        ended.reply = reply;
        ended.ticket = TicketState::WaitingForRequester;
        ended
    }

    /// Hands over with everything that was found.
    pub(crate) fn hand_over(
        &self,
        reason: String,
        next_step: Option<String>,
        sentences: &[CitedSentence],
    ) -> Ended {
        let found = reply::build(sentences, &self.transcript.evidence, None, self.rigor());
        let bundle = EvidenceBundle::new(
            reason,
            &self.transcript.plan.question,
            &self.steps,
            &self.transcript.evidence,
            &found,
            next_step,
        );
        let (text, shift) = bundle.note();
        let citations = found
            .citations
            .into_iter()
            .map(|citation| Citation {
                start: citation.start + shift,
                end: citation.end + shift,
                ..citation
            })
            .collect();
        Ended {
            verdict: Verdict::Escalated,
            confidence: 0.0,
            reply: Reply {
                text,
                citations,
                left_out: found.left_out,
            },
            escalation: Some(bundle),
            ticket: TicketState::Escalated,
            send: true,
        }
    }

    /// Weighs a write; proposes it, carries it out, or goes on with one that a crash interrupted.
    async fn act(&mut self, conclusion: Conclusion, wish: ActionWish) -> Result<Ended, AgentError> {
        let earlier = self.earlier_action(&wish).await?;
        let action = match earlier {
            Some(action) if action.state == ActionState::Proposed => action,
            Some(action) => {
                self.enter(InvestigationState::Acting).await?;
                act::take_up(
                    self.agent.workspace(),
                    &self.hands,
                    &action.id,
                    self.agent.now(),
                )
                .instrument(trace::later(&action))
                .await?
            }
            None => {
                let step = trace::step(StepKind::Call);
                let begun = self.begin_action(&conclusion, &wish).instrument(step);
                match begun.await? {
                    Ok(action) => action,
                    Err(denied) => return Ok(denied),
                }
            }
        };
        self.after_action(&conclusion, &wish, &action).await
    }

    /// The action for this wish that was stored before a crash.
    async fn earlier_action(&self, wish: &ActionWish) -> Result<Option<Action>, AgentError> {
        let actions = self
            .agent
            .workspace()
            .actions()
            .of_ticket(&self.ticket.id)
            .await?;
        Ok(actions.into_iter().rfind(|action| {
            action.investigation == self.investigation.id && action.call.tool == wish.call.tool
        }))
    }

    async fn begin_action(
        &mut self,
        conclusion: &Conclusion,
        wish: &ActionWish,
    ) -> Result<Result<Action, Ended>, AgentError> {
        self.enter(InvestigationState::SafetyCheck).await?;
        let began = Instant::now();
        let arguments = match self.arguments(&wish.call) {
            Ok(arguments) => arguments,
            Err(why) => {
                let reason = format!("`{}` cannot be called: {why}", wish.call.tool);
                return Ok(Err(self.hand_over(
                    reason,
                    Some(wish.summary.clone()),
                    &conclusion.sentences,
                )));
            }
        };
        self.enter(InvestigationState::Acting).await?;
        let life = i64::from(self.agent.settings().approval_minutes) * 60_000;
        let purpose = Purpose {
            investigation: &self.investigation.id,
            ticket: &self.ticket.id,
            now: self.agent.now(),
            life_millis: life,
        };
        let weighed = act::want(
            self.agent.workspace(),
            &mut self.hands,
            &mut self.meter,
            wish,
            arguments,
            &purpose,
        )
        .instrument(trace::action(&wish.call.tool))
        .await?;
        self.enter(InvestigationState::Observing).await?;
        let summary = match &weighed.acted {
            Acted::Denied(reason) => {
                format!("The gate did not allow \"{}\": {reason}", wish.summary)
            }
            Acted::Rehearsed(_) => format!("Dry run, nothing was changed: {}", wish.summary),
            Acted::Proposed(_) => format!("Proposed: {}", wish.summary),
            Acted::Sent(action) => format!("{} ({})", wish.summary, action.state.as_str()),
        };
        let detail = Detail::Action {
            summary: wish.summary.clone(),
            decision: weighed.decision,
            result: weighed.reads,
        };
        self.record(
            StepKind::Call,
            summary,
            wish.call.why.clone(),
            &detail,
            Vec::new(),
            began,
        )
        .await?;
        Ok(match weighed.acted {
            Acted::Denied(reason) => Err(self.hand_over(
                format!("Gaby may not do what would help: {reason}."),
                Some(wish.summary.clone()),
                &conclusion.sentences,
            )),
            Acted::Rehearsed(rehearsal) => Err(self.hand_over(
                shown_rehearsal(&rehearsal),
                Some(wish.summary.clone()),
                &conclusion.sentences,
            )),
            Acted::Proposed(action) | Acted::Sent(action) => Ok(action),
        })
    }

    /// What follows from where an action stands.
    pub(crate) async fn after_action(
        &mut self,
        conclusion: &Conclusion,
        wish: &ActionWish,
        action: &Action,
    ) -> Result<Ended, AgentError> {
        let sentences = &conclusion.sentences;
        let ended = match action.state {
            ActionState::Proposed => Ended {
                verdict: Verdict::NeedsApproval,
                confidence: conclusion.confidence,
                reply: self.checked(sentences, conclusion.in_view),
                escalation: None,
                ticket: TicketState::WaitingForApproval,
                send: false,
            },
            // The reply was written for other arguments: what it would say may not be what was done.
            ActionState::Done | ActionState::Undone if action.replaces.is_some() => {
                self.evidence_of_action(action).await?;
                self.hand_over(
                    format!(
                        "It was done, but not told to the requester, because the reply speaks of the \
                         arguments before they were changed: {}",
                        action.summary
                    ),
                    Some("Tell the requester.".to_owned()),
                    sentences,
                )
            }
            ActionState::Done | ActionState::Undone => {
                let number = self.evidence_of_action(action).await?;
                let done = wish.done.iter().cloned().map(|mut sentence| {
                    if sentence.on_action {
                        sentence.evidence.push(number);
                    }
                    sentence
                });
                let all: Vec<CitedSentence> = sentences.iter().cloned().chain(done).collect();
                let reply = self.checked(&all, conclusion.in_view);
                match unfit(&reply) {
                    Some(reason) => self.hand_over(
                        format!(
                            "It was done, but not told to the requester: {} {reason}",
                            wish.summary
                        ),
                        Some("Tell the requester.".to_owned()),
                        &all,
                    ),
                    None => Ended {
                        verdict: Verdict::Resolved,
                        confidence: conclusion.confidence,
                        reply,
                        escalation: None,
                        ticket: TicketState::Resolved,
                        send: true,
                    },
                }
            }
            ActionState::Rejected => {
                let why = action.rejection.as_deref().unwrap_or("no reason given");
                let reason = format!("A human rejected \"{}\": {why}", wish.summary);
                self.hand_over(reason, None, sentences)
            }
            ActionState::Expired => {
                let reason = format!("Nobody decided in time on \"{}\".", wish.summary);
                self.hand_over(
                    reason,
                    Some("Investigate the ticket again.".to_owned()),
                    sentences,
                )
            }
            state => {
                let why = action
                    .outcome
                    .get("error")
                    .and_then(Value::as_str)
                    .unwrap_or("no reason given");
                let reason = match state {
                    ActionState::Unknown => format!(
                        "It is not known whether this happened: {} ({why}). It is not tried again by itself.",
                        wish.summary
                    ),
                    _ => format!("This did not happen: {} ({why}).", wish.summary),
                };
                self.hand_over(
                    reason,
                    Some(format!("Look into it by hand: {}", wish.summary)),
                    sentences,
                )
            }
        };
        Ok(ended)
    }

    /// The evidence that an action happened; recorded once.
    async fn evidence_of_action(&mut self, action: &Action) -> Result<u32, AgentError> {
        let key = json!({"action": action.id});
        let known = self.transcript.evidence.iter().find(|evidence| {
            matches!(&evidence.origin, Origin::ToolCall { tool, .. } if *tool == action.call.tool)
                && evidence.value.get("action") == key.get("action")
        });
        if let Some(known) = known {
            return Ok(known.number);
        }
        let number = u32::try_from(self.transcript.evidence.len()).unwrap_or(u32::MAX - 1) + 1;
        let mut label = Label::of(gaby_model::Integrity::System);
        if let Some(audience) = values::audience(&self.transcript.case) {
            label.readers = Readers::Only([audience].into());
        }
        // What was changed is said in words that were settled before: the arguments support them.
        let evidence = Evidence {
            id: EvidenceId::generate(),
            investigation: self.investigation.id.clone(),
            step: self
                .steps
                .last()
                .map_or_else(gaby_model::StepId::generate, |step| step.id.clone()),
            number,
            origin: Origin::ToolCall {
                tool: action.call.tool.clone(),
                arguments: action.call.arguments.clone(),
                pointer: String::new(),
            },
            text: format!("{} ({})", action.summary, action.state.as_str()),
            value: json!({
                "action": action.id,
                "arguments": action.call.arguments,
                "outcome": action.outcome,
                "before": action.state_before,
            }),
            label,
        };
        let detail = Detail::Action {
            summary: action.summary.clone(),
            decision: Value::Null,
            result: action.outcome.clone(),
        };
        self.record(
            StepKind::Observe,
            format!("Done: {}", action.summary),
            "The connector confirmed it.".to_owned(),
            &detail,
            vec![evidence],
            Instant::now(),
        )
        .instrument(trace::step(StepKind::Observe))
        .await?;
        Ok(number)
    }

    /// Writes the end back, once, and gives the result.
    pub(crate) async fn write_back(
        mut self,
        ended: Ended,
    ) -> Result<InvestigationResult, AgentError> {
        let now = self.agent.now();
        let author = match (ended.verdict, ended.ticket) {
            (Verdict::Resolved, _) | (_, TicketState::WaitingForRequester) => Author::Gaby,
            _ => Author::Note,
        };
        self.investigation.verdict = Some(ended.verdict);
        self.investigation.confidence = Some(Confidence::new(ended.confidence));
        self.investigation.escalation = ended.escalation.as_ref().map(EvidenceBundle::short);
        self.investigation.reply = Some(ended.reply.text.clone());
        self.investigation
            .citations
            .clone_from(&ended.reply.citations);
        self.investigation.usage = self.meter.usage();
        let message = ended.send.then(|| Message {
            id: MessageId::generate(),
            ticket: self.ticket.id.clone(),
            author,
            body: ended.reply.text.clone(),
            citations: ended.reply.citations.clone(),
            created_at: now,
        });
        let workspace = self.agent.workspace();
        record::finish(
            workspace,
            &mut self.investigation,
            message.as_ref(),
            ended.ticket,
            now,
        )
        .await?;
        let actions = workspace.actions().of_ticket(&self.ticket.id).await?;
        Ok(InvestigationResult::new(
            &self.investigation,
            self.steps,
            &self.transcript.evidence,
            actions
                .into_iter()
                .filter(|action| action.investigation == self.investigation.id)
                .collect(),
            ended.escalation,
        ))
    }
}

/// What Gaby would have done, for whoever does it.
fn shown_rehearsal(rehearsal: &Rehearsal) -> String {
    let changes: Vec<String> = rehearsal
        .diff
        .changes
        .iter()
        .map(|change| {
            format!(
                "{} from {} to {}",
                change.field, change.before, change.after
            )
        })
        .collect();
    let would = match rehearsal.would_ask_because.is_empty() {
        true => "would have done this",
        false => "would have asked for this",
    };
    let mut text = format!(
        "This connector is in dry run: Gaby {would}: {}",
        rehearsal.summary
    );
    if !changes.is_empty() {
        text.push_str(&format!(", changing {}", changes.join(", ")));
    }
    text.push('.');
    text
}

/// Why a checked reply must not leave as it is.
fn unfit(reply: &Reply) -> Option<String> {
    let private = reply
        .left_out
        .iter()
        .any(|(_, why)| *why == Unsupported::NotForRequester);
    if private {
        return Some(
            "The answer holds what may only be told to the account's owner, and nobody vouches that \
             the requester is that person."
                .to_owned(),
        );
    }
    let unsupported = reply
        .left_out
        .iter()
        .find(|(_, why)| matches!(why, Unsupported::NotSaid(_) | Unsupported::Leaks(_)));
    if let Some((_, why)) = unsupported {
        return Some(format!("A sentence of the answer is not supported: {why}."));
    }
    reply
        .is_empty()
        .then(|| "Nothing that could be said is supported by evidence.".to_owned())
}
