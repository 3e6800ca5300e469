//! Handing mail over to a server (RFC 5321).

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;

use super::settings::{MailError, MailSettings, MailTls};

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(15);

/// Hands mail over. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    server: String,
    from: Mailbox,
    to: Vec<String>,
}

impl Post {
    /// Makes it of its settings; none when no server is set. Nothing is connected yet.
    ///
    /// # Errors
    /// When the settings contradict themselves.
    pub fn open(settings: &MailSettings) -> Result<Option<Self>, MailError> {
        let wrong = |problem: String| MailError::Settings(problem);
        let Some(server) = &settings.server else {
            return match settings.from.is_empty() && settings.user.is_none() {
                true => Ok(None),
                false => Err(wrong("`server` is missing".into())),
            };
        };
        let from = settings.from.parse().map_err(|_| {
            wrong(format!(
                "`from` is `{}`: write an address, such as Gaby <gaby@example.com>",
                settings.from
            ))
        })?;
        let parameters = || TlsParameters::new(server.clone()).map_err(|e| wrong(e.to_string()));
        let (tls, usual) = match settings.tls {
            MailTls::Starttls => (Tls::Required(parameters()?), 587),
            MailTls::Implicit => (Tls::Wrapper(parameters()?), 465),
            MailTls::None => (Tls::None, 25),
        };
        let port = settings.port.unwrap_or(usual);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        match (&settings.user, &settings.password) {
            (None, None) => {}
            (Some(_), Some(_)) if settings.tls == MailTls::None => {
                let problem = "a password would be sent unencrypted: leave out `tls = \"none\"`";
                return Err(wrong(problem.into()));
            }
            (Some(user), Some(password)) => {
                let password = password.expose_secret().to_owned();
                builder = builder.credentials(Credentials::new(user.clone(), password));
            }
            (Some(_), None) => {
                let problem = "`user` is set, but no password (GABY_MAIL_PASSWORD)";
                return Err(wrong(problem.into()));
            }
            (None, Some(_)) => return Err(wrong("a password is set, but no `user`".into())),
        }
        Ok(Some(Self {
            transport: builder.build(),
            server: format!("{server}:{port}"),
            from,
            to: settings.to.clone(),
        }))
    }

    /// Whether somebody with this address is told of waiting actions.
    pub(super) fn tells(&self, address: &str) -> bool {
        self.to.is_empty() || self.to.iter().any(|to| to.eq_ignore_ascii_case(address))
    }

    /// Asks the server whether it would take mail.
    ///
    /// # Errors
    /// When it cannot be reached or does not let us in.
    pub async fn check(&self) -> Result<String, MailError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(self.server.clone()),
            Ok(false) => Err(self.refused("it hung up".into())),
            Err(error) => Err(self.refused(why(&error))),
        }
    }

    /// Hands a mail over, in plain text.
    ///
    /// # Errors
    /// When the address is none, or the server does not take it.
    pub(super) async fn send(
        &self,
        (name, address): (&str, &str),
        subject: &str,
        text: String,
    ) -> Result<(), MailError> {
        let no_address = || MailError::Address(address.to_owned());
        let to = Mailbox::new(
            Some(name.to_owned()).filter(|name| !name.is_empty()),
            address.parse().map_err(|_| no_address())?,
        );
        let mail = by_a_machine(Message::builder())
            .from(self.from.clone())
            .to(to)
            .subject(one_line(subject))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| no_address())?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused(why(&error))),
        }
    }

    fn refused(&self, reason: String) -> MailError {
        MailError::Server {
            server: self.server.clone(),
            reason,
        }
    }
}

/// Says that no person wrote it, so that no machine answers (RFC 3834).
fn by_a_machine(mail: MessageBuilder) -> MessageBuilder {
    mail.header(AutoSubmitted)
}

#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        let value = "auto-generated".to_owned();
        lettre::message::header::HeaderValue::new(Self::name(), value)
    }
}

/// A header is one line, whatever a connector calls its tools.
fn one_line(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(200).collect()
}

/// The innermost reason, which is the one that helps.
fn why(error: &dyn std::error::Error) -> String {
    let mut innermost = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        innermost = inner.to_string();
        source = inner.source();
    }
    innermost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(toml_like: serde_json::Value) -> String {
        let settings: MailSettings = serde_json::from_value(toml_like).unwrap();
        Post::open(&settings).unwrap_err().to_string()
    }

    #[test]
    fn settings_that_contradict_themselves_are_refused() {
        use serde_json::json;
        let server = json!({"server": "mail.example.com", "from": "Gaby <gaby@example.com>"});
        let with = |more: serde_json::Value| {
            let mut all = server.clone();
            all.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            all
        };
        assert!(problem(json!({"from": "gaby@example.com"})).contains("`server`"));
        assert!(problem(with(json!({"from": "Gaby"}))).contains("`from`"));
        assert!(problem(with(json!({"user": "gaby"}))).contains("GABY_MAIL_PASSWORD"));
        let plain = with(json!({"user": "gaby", "password": "hunter22", "tls": "none"}));
        let said = problem(plain);
        assert!(
            said.contains("unencrypted") && !said.contains("hunter22"),
            "{said}"
        );
        assert!(Post::open(&MailSettings::default()).unwrap().is_none());
        let good: MailSettings = serde_json::from_value(server).unwrap();
        assert_eq!(
            Post::open(&good).unwrap().unwrap().server,
            "mail.example.com:587"
        );
    }
}
