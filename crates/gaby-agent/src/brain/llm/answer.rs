//! Answers to questions at a terminal or in a chat: one search, one answer from what it found.

use std::time::Duration;

use gaby_llm::Purpose;
use gaby_llm::chat::{ChatRequest, Message, ToolChoice};
use serde_json::json;

use super::check;
use super::hear;
use super::offer;
use super::tell::{self, Fence};
use super::{Llm, Silent, rendered, reply_to};
use crate::brain::{Conclusion, Transcript};

/// How long an answer may take.
const LONGEST: Duration = Duration::from_secs(90);

impl Llm {
    /// Answers the question of a transcript from the passages in it, and says who did.
    ///
    /// # Errors
    /// Why no model answers.
    pub(crate) async fn answer(
        &self,
        transcript: &Transcript,
    ) -> Result<(Conclusion, String), String> {
        self.answered(transcript)
            .await
            .map_err(|silent| match silent {
                Silent::Spent(why) | Silent::Down(why) => why,
            })
    }

    async fn answered(&self, transcript: &Transcript) -> Result<(Conclusion, String), Silent> {
        let prompt = self.prompt("answer")?;
        let fence = Fence::of(&transcript.case, &self.scrubbed);
        let values = json!({"fence": fence.word()});
        let mut request = ChatRequest {
            system: rendered(prompt, &values)?,
            messages: vec![Message::user(tell::question(transcript, &fence))],
            tools: [offer::conclude(&[])].into(),
            tool_choice: ToolChoice::Tool(offer::CONCLUDE.to_owned()),
            ..ChatRequest::default()
        };
        let mut sent_back = false;
        loop {
            let asked = (values.clone(), request.clone());
            let answered = self
                .ask(Purpose::Answer, prompt, &transcript.case, 0, asked, LONGEST)
                .await?;
            let calls = &answered.response.turn.calls;
            let told = match calls.iter().find(|call| call.name == offer::CONCLUDE) {
                None => "Call `conclude`.".to_owned(),
                Some(call) => {
                    let said = call.arguments.to_object();
                    let said = said.as_object().cloned().unwrap_or_default();
                    match hear::conclusion(&said, &[]) {
                        Err(fault) => fault,
                        Ok(conclusion) => {
                            let faults = check::faults(&conclusion.sentences, &transcript.evidence);
                            if faults.is_empty() || sent_back {
                                let end = self.end(check::stripped(conclusion, &faults));
                                let model = &answered.response.model;
                                return Ok((end, format!("{} {model}", answered.provider)));
                            }
                            check::sent_back(&faults, &conclusion.sentences)
                        }
                    }
                }
            };
            if sent_back {
                return Err(Silent::Down(
                    "the model gave no answer that can be read".to_owned(),
                ));
            }
            sent_back = true;
            reply_to(&mut request, &answered, &[told]);
        }
    }
}
