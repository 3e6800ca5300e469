//! An answer written anew, when more was in view than the requester may see.
//!
//! Whoever has seen a secret can spell it in harmless words. So the words that a model chose with such
//! things in view are not sent. It is asked once more, in a conversation that ends before the first
//! answer that the requester may not see: what it says there cannot depend on what it has not seen.

use gaby_llm::Purpose;
use gaby_llm::chat::{ChatRequest, ToolChoice};
use serde_json::Value;

use super::tell::{self, Fence};
use super::{LONG, Llm, Silent, check, hear, offer, rendered};
use crate::brain::{Conclusion, Ending, Transcript};

/// Why an answer is handed over instead.
const NOT_FOR_THEM: &str =
    "What was found may not be told to whoever asks, and what may be told is no answer.";

impl Llm {
    /// The conclusion with its sentences written anew, or as it is where all that was in view may be
    /// told.
    pub(super) async fn in_fit_words(
        &self,
        transcript: &Transcript,
        conclusion: Conclusion,
        values: &Value,
    ) -> Result<Conclusion, Silent> {
        let says = !conclusion.sentences.is_empty()
            || conclusion
                .action
                .as_ref()
                .is_some_and(|action| !action.done.is_empty());
        let Some(turns) = transcript.fit_for_audience() else {
            return Ok(conclusion);
        };
        if conclusion.ending != Ending::Answer || !says {
            return Ok(conclusion);
        }
        let fit = transcript.up_to(turns);
        let anew = self.written_anew(&fit, values).await?;
        Ok(joined(conclusion, anew, turns))
    }

    /// What the model concludes of this much; none when it makes no sense.
    async fn written_anew(
        &self,
        fit: &Transcript,
        values: &Value,
    ) -> Result<Option<Conclusion>, Silent> {
        let prompt = self.prompt("investigate")?;
        let fence = Fence::of(&fit.case, &self.scrubbed);
        let offer = self.offers.of(&fit.case.tools);
        let request = ChatRequest {
            system: rendered(prompt, values)?,
            messages: tell::conversation(fit, &offer.changes, &fence, self.length()),
            tools: [offer::conclude(&offer::writes(&fit.case.tools))].into(),
            tool_choice: ToolChoice::Tool(offer::CONCLUDE.to_owned()),
            ..ChatRequest::default()
        };
        let step = fit.turns.last().map_or(1, |turn| turn.step) + 1;
        let asked = (values.clone(), request);
        let answered = self
            .ask(Purpose::Investigate, prompt, &fit.case, step, asked, LONG)
            .await?;
        let calls = &answered.response.turn.calls;
        let said = calls
            .iter()
            .find(|call| call.name == offer::CONCLUDE)
            .map(|call| call.arguments.to_object());
        let conclusion = said
            .as_ref()
            .and_then(Value::as_object)
            .and_then(|said| hear::conclusion(said, &fit.case.tools).ok());
        Ok(conclusion.map(|conclusion| {
            let faults = check::faults(&conclusion.sentences, &fit.evidence);
            check::stripped(conclusion, &faults)
        }))
    }
}

/// What is wanted stands, for the gate to weigh; what is said is what was said anew.
fn joined(mut conclusion: Conclusion, anew: Option<Conclusion>, turns: usize) -> Conclusion {
    let anew = anew.filter(|anew| anew.ending == Ending::Answer);
    conclusion.in_view = Some(turns);
    let (sentences, action) = anew
        .map(|anew| (anew.sentences, anew.action))
        .unwrap_or_default();
    if let Some(wanted) = &mut conclusion.action {
        wanted.done = action
            .filter(|action| action.call.tool == wanted.call.tool)
            .map(|action| action.done)
            .unwrap_or_default();
    } else if sentences.is_empty() {
        conclusion.ending = Ending::Escalate;
        conclusion.escalation = Some(NOT_FOR_THEM.to_owned());
        // For the person who takes over, who may see all of it.
        return conclusion;
    }
    conclusion.sentences = sentences;
    conclusion
}
