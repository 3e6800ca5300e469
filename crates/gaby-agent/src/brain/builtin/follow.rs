//! Following a playbook: the next step that is not done, then the first outcome that holds.
//!
//! Everything is worked out anew from the transcript each time, so that a restarted investigation
//! goes on at the very step where it stopped.

use super::answer;
use super::extract::Question;
use super::scope::Scope;
use crate::brain::{
    ActionWish, CallWish, CitedSentence, Conclusion, Ending, Layout, Outcome, SearchWish,
    Transcript, Turn, Want,
};
use crate::playbook::expression::ExpressionError;
use crate::playbook::schema::{ActionSpec, Outcome as OutcomeSpec, Playbook, Say, StepSpec};
use crate::tools;

/// How sure an outcome is that does not say so itself.
const USUAL_CONFIDENCE: f64 = 0.8;
/// How sure a hand-over is.
const HAND_OVER_CONFIDENCE: f64 = 0.3;
/// A quotation is left out when its passage speaks of less than this of what was searched for.
const QUOTE_COVERAGE: f64 = 0.45;
/// Passages that a playbook's search asks for.
const TOP: usize = 4;

/// What to do next by this playbook.
pub(super) fn next(playbook: &Playbook, transcript: &Transcript, threshold: f64) -> Want {
    let lacking = tools::missing(&transcript.case.tools, playbook);
    if !lacking.is_empty() {
        let note = format!(
            "The playbook \"{}\" needs a tool with the role {}, and none is connected.",
            playbook.title,
            named(&lacking),
        );
        return answer::next(transcript, threshold, Some(&note));
    }
    let mut scope = Scope::new(playbook, transcript);
    if let Some(question) = scope.missing_input() {
        return Want::Ask {
            question: question.to_owned(),
            why: "The ticket's source does not say it, and nothing can be looked up without it."
                .to_owned(),
        };
    }
    for step in &playbook.steps {
        let step = &step.value;
        match next_step(&mut scope, step, transcript) {
            Ok(Some(want)) => return want,
            Ok(None) => {}
            Err(stop) => return Want::Conclude(stopped(playbook, &scope, &step.id, &stop)),
        }
    }
    Want::Conclude(outcome(playbook, &scope, transcript))
}

fn named(roles: &[&str]) -> String {
    roles
        .iter()
        .map(|role| format!("`{role}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a step wants, none when it is done or skipped; an error ends the playbook.
fn next_step<'a>(
    scope: &mut Scope<'a>,
    step: &'a StepSpec,
    transcript: &'a Transcript,
) -> Result<Option<Want>, String> {
    let told = |error: ExpressionError| error.to_string();
    let turn = transcript.turn(&step.id);
    if let Some(turn) = turn {
        check_turn(step, turn)?;
        scope.bind(step, Some(turn)).map_err(told)?;
        return Ok(None);
    }
    if step.from.is_some() || !scope.holds(step.when.as_deref()).map_err(told)? {
        scope.bind(step, None).map_err(told)?;
        return Ok(None);
    }
    if let Some(search) = &step.search {
        return Ok(Some(Want::Search(SearchWish {
            key: step.id.clone(),
            query: scope.render(search).map_err(told)?,
            top: TOP,
            why: step
                .why
                .clone()
                .unwrap_or_else(|| "Find what the knowledge base says about it".to_owned()),
        })));
    }
    let role = step.role.as_deref().unwrap_or_default();
    let Some(tool) = tools::with_role(&transcript.case.tools, role) else {
        // Only optional steps get here without a tool.
        scope.bind(step, None).map_err(told)?;
        return Ok(None);
    };
    let arguments = match scope.arguments(&step.arguments) {
        Ok(arguments) => arguments,
        Err(_) if step.optional => {
            scope.bind(step, None).map_err(told)?;
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    Ok(Some(Want::Call(CallWish {
        key: step.id.clone(),
        role: Some(role.to_owned()),
        tool: tool.tool.clone(),
        arguments: arguments.value,
        composed: arguments.composed,
        why: step
            .why
            .clone()
            .unwrap_or_else(|| format!("The playbook reads `{role}` here")),
    })))
}

fn check_turn(step: &StepSpec, turn: &Turn) -> Result<(), String> {
    match &turn.outcome {
        _ if step.optional || step.search.is_some() => Ok(()),
        Outcome::Denied { reason } => Err(format!("The call was not allowed: {reason}")),
        Outcome::Failed { message } => Err(format!("The call failed: {message}")),
        Outcome::Read { .. } | Outcome::Found { .. } => Ok(()),
    }
}

/// The first outcome that holds.
fn outcome(playbook: &Playbook, scope: &Scope<'_>, transcript: &Transcript) -> Conclusion {
    for spec in &playbook.outcomes {
        let spec = &spec.value;
        match scope.holds(spec.when.as_deref()) {
            Ok(false) => {}
            Ok(true) => {
                return conclude(playbook, spec, scope, transcript).unwrap_or_else(|error| {
                    stopped(playbook, scope, &spec.id, &error.to_string())
                });
            }
            Err(error) => return stopped(playbook, scope, &spec.id, &error.to_string()),
        }
    }
    stopped(
        playbook,
        scope,
        "outcomes",
        "None of its outcomes fits what was found.",
    )
}

fn conclude(
    playbook: &Playbook,
    spec: &OutcomeSpec,
    scope: &Scope<'_>,
    transcript: &Transcript,
) -> Result<Conclusion, ExpressionError> {
    let sentences = say_all(&spec.answer, scope, transcript)?;
    let promised = spec
        .answer
        .iter()
        .any(|say| say.say.is_some() && say.when.is_none());
    let said = sentences.iter().any(|(own, _)| *own);
    let sentences: Vec<CitedSentence> = sentences
        .into_iter()
        .map(|(_, sentence)| sentence)
        .collect();
    let mut conclusion = Conclusion {
        ending: Ending::Answer,
        confidence: spec.confidence.unwrap_or(USUAL_CONFIDENCE),
        sentences,
        action: None,
        escalation: None,
        next_step: spec
            .next
            .as_deref()
            .map(|next| scope.render(next))
            .transpose()?,
        because: format!(
            "The outcome `{}` of the playbook \"{}\" holds.",
            spec.id, playbook.title
        ),
        features: [].into(),
        in_view: None,
    };
    if let Some(reason) = &spec.escalate {
        conclusion.ending = Ending::Escalate;
        conclusion.confidence = spec.confidence.unwrap_or(HAND_OVER_CONFIDENCE);
        conclusion.escalation = Some(scope.render(reason)?);
        return Ok(conclusion);
    }
    if let Some(action) = &spec.action {
        let summary = scope.render(&action.summary)?;
        match wish(action, &summary, scope, transcript)? {
            Some(wish) => conclusion.action = Some(wish),
            None => {
                return Ok(hand_over(
                    conclusion,
                    format!(
                        "No connected tool has the role `{}`, so Gaby cannot do it.",
                        action.role
                    ),
                    Some(summary),
                ));
            }
        }
    }
    if (promised && !said) || conclusion.sentences.is_empty() {
        return Ok(hand_over(
            conclusion,
            "What was found does not fill the playbook's answer.".to_owned(),
            None,
        ));
    }
    if scope.steps.values().any(|bound| bound.truncated) {
        conclusion.confidence = conclusion.confidence.min(0.6);
    }
    Ok(conclusion)
}

fn hand_over(mut conclusion: Conclusion, reason: String, next_step: Option<String>) -> Conclusion {
    conclusion.ending = Ending::Escalate;
    conclusion.confidence = HAND_OVER_CONFIDENCE;
    conclusion.action = None;
    conclusion.escalation = Some(reason);
    conclusion.next_step = next_step.or(conclusion.next_step);
    conclusion
}

fn wish(
    action: &ActionSpec,
    summary: &str,
    scope: &Scope<'_>,
    transcript: &Transcript,
) -> Result<Option<ActionWish>, ExpressionError> {
    let Some(tool) = tools::with_role(&transcript.case.tools, &action.role) else {
        return Ok(None);
    };
    let arguments = scope.arguments(&action.arguments)?;
    let done = say_all(&action.done, scope, transcript)?;
    Ok(Some(ActionWish {
        call: CallWish {
            key: "action".to_owned(),
            role: Some(action.role.clone()),
            tool: tool.tool.clone(),
            arguments: arguments.value,
            composed: arguments.composed,
            why: scope.render(&action.reason)?,
        },
        summary: summary.to_owned(),
        risk: action
            .risk
            .as_deref()
            .map(|risk| scope.render(risk))
            .transpose()?,
        done: done.into_iter().map(|(_, sentence)| sentence).collect(),
    }))
}

/// The sentences, each with whether it is the playbook's own rather than a quotation. A sentence
/// whose values are not there is left out.
fn say_all(
    says: &[Say],
    scope: &Scope<'_>,
    transcript: &Transcript,
) -> Result<Vec<(bool, CitedSentence)>, ExpressionError> {
    let mut sentences: Vec<(bool, CitedSentence)> = Vec::new();
    for say in says {
        if !scope.holds(say.when.as_deref())? {
            continue;
        }
        if let Some(step) = &say.quote {
            let quoted = quote(step, say.sentences.unwrap_or(2), scope, transcript);
            sentences.extend(quoted.into_iter().map(|sentence| (false, sentence)));
        } else if let Some(text) = &say.say
            && let Some(sentence) = own_sentence(text, say, scope)?
        {
            sentences.push((true, sentence));
        }
    }
    Ok(sentences)
}

fn own_sentence(
    text: &str,
    say: &Say,
    scope: &Scope<'_>,
) -> Result<Option<CitedSentence>, ExpressionError> {
    let names = scope.engine.names_in_template(text)?;
    let mut evidence: Vec<u32> = names
        .iter()
        .map(|name| name.split('.').next().unwrap_or(name))
        .chain(say.cite.iter().map(String::as_str))
        .flat_map(|step| scope.evidence_of(step))
        .collect();
    evidence.sort_unstable();
    evidence.dedup();
    let Ok(text) = scope.render(text) else {
        return Ok(None);
    };
    let on_action = say.cite.iter().any(|cited| cited == "action");
    Ok(
        (!text.is_empty() && (on_action || !evidence.is_empty())).then_some(CitedSentence {
            text,
            evidence,
            on_action,
            layout: Layout::Text,
        }),
    )
}

fn quote(
    step: &str,
    limit: usize,
    scope: &Scope<'_>,
    transcript: &Transcript,
) -> Vec<CitedSentence> {
    let Some(bound) = scope.steps.get(step) else {
        return Vec::new();
    };
    let query = transcript.turn(step).and_then(|turn| match &turn.want {
        Want::Search(wish) => Some(wish.query.as_str()),
        _ => None,
    });
    let passages = answer::passages(transcript, &bound.hits);
    let question = Question::weigh(query.unwrap_or_default(), passages.iter().map(|p| p.text));
    let fits = passages.first().is_some_and(|best| {
        question.coverage(&format!("{} {} {}", best.title, best.heading, best.text))
            >= QUOTE_COVERAGE
    });
    if !fits {
        return Vec::new();
    }
    let mut quoted = answer::quote(&question, &passages, limit, false);
    if let Some(first) = quoted.first_mut()
        && first.layout == Layout::Text
    {
        first.layout = Layout::Paragraph;
    }
    quoted
}

/// The end of a playbook that cannot go on, with what it found so far.
fn stopped(playbook: &Playbook, scope: &Scope<'_>, place: &str, why: &str) -> Conclusion {
    let found = scope
        .steps
        .values()
        .map(|bound| bound.records.len())
        .sum::<usize>();
    Conclusion {
        ending: Ending::Escalate,
        confidence: 0.0,
        sentences: Vec::new(),
        action: None,
        escalation: Some(format!(
            "The playbook \"{}\" could not be followed to its end. At `{place}`: {why}",
            playbook.title
        )),
        next_step: Some("Look at what was found, and go on by hand.".to_owned()),
        because: format!("The playbook stopped at `{place}` after {found} records."),
        features: [].into(),
        in_view: None,
    }
}
