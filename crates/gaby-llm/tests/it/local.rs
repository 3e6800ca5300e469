//! Where models may be.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use gaby_llm::address::{Lookup, Reach};
use gaby_llm::{LlmError, Provider, ProviderKind};

use crate::contract::conversation;
use crate::vendors::{Answer, ask, of, patient};

/// Gives the first answer to the first question, and the last to all that follow.
struct Names(Vec<Vec<IpAddr>>, AtomicUsize);

impl Lookup for Names {
    fn lookup(&self, _: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        let found = self.0[asked.min(self.0.len() - 1)].clone();
        Box::pin(async move { Ok(found) })
    }
}

fn reach(local_only: bool, answers: &[&[&str]]) -> Reach {
    let answers = answers
        .iter()
        .map(|list| list.iter().map(|text| text.parse().unwrap()).collect())
        .collect();
    Reach {
        local_only,
        public_only: false,
        lookup: Arc::new(Names(answers, AtomicUsize::new(0))),
    }
}

#[tokio::test]
async fn with_local_only_no_name_leads_outside_not_even_after_it_was_checked() {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let server = vendor.answering(Answer::text("hello")).await;
    let at = |host: &str, reach: Reach| {
        let mut config = vendor.config(&server);
        config.base_url = Some(format!("http://{host}:{}/some/v1", server.port));
        Provider::open(config, reach, patient()).unwrap()
    };
    let good = at("models.lan", reach(true, &[&["127.0.0.1"]]));
    good.check_address().await.unwrap();
    assert_eq!(
        ask(&good, &conversation()).await.unwrap().turn.text,
        "hello"
    );
    for answers in [
        &[&["8.8.8.8"][..]][..],
        &[&["127.0.0.1", "8.8.8.8"][..]][..],
    ] {
        let bad = at("models.lan", reach(true, answers));
        assert!(matches!(
            bad.check_address().await,
            Err(LlmError::Forbidden { .. })
        ));
        let error = ask(&bad, &conversation()).await.unwrap_err();
        assert!(matches!(error, LlmError::Forbidden { .. }), "{error}");
        assert!(!error.is_outage());
    }
    // A name that is pointed elsewhere after the check at start.
    let moved = at(
        "models.lan",
        reach(true, &[&["127.0.0.1"], &["93.184.216.34"]]),
    );
    moved.check_address().await.unwrap();
    assert!(matches!(
        ask(&moved, &conversation()).await,
        Err(LlmError::Forbidden { .. })
    ));
    // Addresses as numbers are not looked up, and are checked all the same.
    for host in [
        "93.184.216.34",
        "[2606:4700::1111]",
        "169.254.169.254",
        "0.0.0.0",
    ] {
        let bad = at(host, reach(true, &[&["127.0.0.1"]]));
        assert!(
            matches!(bad.check_address().await, Err(LlmError::Forbidden { .. })),
            "{host}"
        );
        assert!(
            matches!(
                ask(&bad, &conversation()).await,
                Err(LlmError::Forbidden { .. })
            ),
            "{host}"
        );
    }
    // Metadata services are no models, wherever models may be.
    let metadata = at("models.example", reach(false, &[&["169.254.169.254"]]));
    assert!(matches!(
        ask(&metadata, &conversation()).await,
        Err(LlmError::Forbidden { .. })
    ));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_may_only_be_public_is_not_asked_within_the_operators_network() {
    let vendor = of(ProviderKind::OpenAiCompatible);
    let server = vendor.answering(Answer::text("hello")).await;
    let at = |host: &str, answers: &[&[&str]]| {
        let mut config = vendor.config(&server);
        config.base_url = Some(format!("http://{host}:{}/some/v1", server.port));
        config.public_only = true;
        Provider::open(config, reach(false, answers), patient()).unwrap()
    };
    for (host, answers) in [
        ("127.0.0.1", &[&["8.8.8.8"][..]][..]),
        ("[::1]", &[&["8.8.8.8"][..]]),
        ("[::ffff:10.0.0.1]", &[&["8.8.8.8"][..]]),
        ("models.example", &[&["127.0.0.1"][..]]),
        ("models.example", &[&["8.8.8.8", "10.0.0.1"][..]]),
        // Checked, then pointed elsewhere.
        ("models.example", &[&["8.8.8.8"][..], &["127.0.0.1"]]),
    ] {
        let bad = at(host, answers);
        if answers.len() > 1 {
            bad.check_address().await.unwrap();
        }
        let error = ask(&bad, &conversation()).await.unwrap_err();
        assert!(
            matches!(error, LlmError::Forbidden { .. }),
            "{host} {error}"
        );
    }
    assert!(server.seen().is_empty());
}
