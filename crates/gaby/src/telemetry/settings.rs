//! Where traces go: the `[telemetry]` section, overruled by OpenTelemetry's own variables.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

/// What stands behind a base address (opentelemetry.io/docs/specs/otlp, OTLP/HTTP request).
const PATH: &str = "v1/traces";

/// The `[telemetry]` section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelemetrySettings {
    /// The receiver's base address; nothing is sent, if not set.
    endpoint: Option<String>,
    /// Headers of each request, such as a key.
    #[serde(deserialize_with = "secrets")]
    headers: BTreeMap<String, SecretString>,
    /// Whether what people wrote is sent, too.
    content: bool,
}

fn secrets<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, SecretString>, D::Error> {
    let plain = BTreeMap::<String, String>::deserialize(from)?;
    let sealed = plain.into_iter().map(|(name, value)| (name, value.into()));
    Ok(sealed.collect())
}

/// Where traces go, and what of them.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    /// The whole address.
    pub(super) endpoint: Url,
    headers: BTreeMap<String, SecretString>,
    /// Whether what people wrote is sent, too.
    pub(super) content: bool,
    /// The name under which Gaby is known there.
    pub(super) service: String,
}

impl Export {
    /// The section, with what the environment says; none when nothing is to be sent.
    pub(crate) fn of(
        file: TelemetrySettings,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Option<Self>> {
        let named = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let is = |name: &str, word: &str| {
            named(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
        };
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let whole = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let base = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (endpoint, by_environment) = if let Some(address) = named(whole) {
            (checked(whole, &address)?, true)
        } else if let Some(address) = named(base) {
            (below(checked(base, &address)?), true)
        } else if let Some(address) = &file.endpoint {
            (below(checked("telemetry.endpoint", address)?), false)
        } else {
            return Ok(None);
        };
        if is("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            || is("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")
        {
            bail!("traces are sent as http/protobuf alone: set OTEL_EXPORTER_OTLP_PROTOCOL to it");
        }
        for name in file.headers.keys() {
            reqwest::header::HeaderName::try_from(name.as_str())
                .with_context(|| format!("telemetry.headers: `{name}` is no header's name"))?;
        }
        let named_otherwise =
            named("OTEL_RESOURCE_ATTRIBUTES").and_then(|all| attribute(&all, "service.name"));
        Ok(Some(Self {
            endpoint,
            // A key is not sent to whom it was not given for.
            headers: match by_environment {
                true => BTreeMap::new(),
                false => file.headers,
            },
            content: file.content,
            service: named("OTEL_SERVICE_NAME")
                .or(named_otherwise)
                .unwrap_or_else(|| "gaby".to_owned()),
        }))
    }

    /// The headers in the clear, for the exporter; it adds those of the environment itself.
    pub(super) fn plain_headers(&self) -> HashMap<String, String> {
        self.headers
            .iter()
            .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
            .collect()
    }
}

fn checked(what: &str, address: &str) -> anyhow::Result<Url> {
    let url = Url::parse(address.trim()).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .with_context(|| {
            format!("{what} is not a web address: use one such as http://localhost:4318")
        })
}

fn below(mut base: Url) -> Url {
    let path = format!("{}/{PATH}", base.path().trim_end_matches('/'));
    base.set_path(&path);
    base
}

fn attribute(all: &str, name: &str) -> Option<String> {
    let pairs = all.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, environment: &[(&str, &str)]) -> anyhow::Result<Option<Export>> {
        use figment::providers::{Format as _, Toml};
        let file = figment::Figment::from(Toml::string(file)).extract()?;
        Export::of(file, |name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const FILE: &str = r#"
        endpoint = "https://traces.example.com/otlp/"
        headers = { Authorization = "Bearer canary" }
    "#;

    #[test]
    fn nothing_is_sent_unless_somebody_says_where() {
        assert!(of("", &[]).unwrap().is_none());
        assert!(of("content = true", &[]).unwrap().is_none());
        assert!(
            of(FILE, &[("OTEL_SDK_DISABLED", "true")])
                .unwrap()
                .is_none()
        );
        let none = [("OTEL_TRACES_EXPORTER", "none")];
        assert!(of(FILE, &none).unwrap().is_none());
    }

    #[test]
    fn a_base_address_is_completed_and_a_whole_one_is_not() {
        let file = of(FILE, &[]).unwrap().unwrap();
        assert_eq!(
            file.endpoint.as_str(),
            "https://traces.example.com/otlp/v1/traces"
        );
        assert_eq!(file.plain_headers()["Authorization"], "Bearer canary");
        assert!(!file.content);
        assert_eq!(file.service, "gaby");
        assert!(!format!("{file:?}").contains("canary"));
        let base = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")];
        let base = of("", &base).unwrap().unwrap();
        assert_eq!(base.endpoint.as_str(), "http://127.0.0.1:4318/v1/traces");
        let both = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector/in"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=desk"),
        ];
        let whole = of("", &both).unwrap().unwrap();
        assert_eq!(whole.endpoint.as_str(), "http://collector/in");
        assert_eq!(whole.service, "desk");
    }

    #[test]
    fn the_files_key_does_not_go_to_another_address() {
        let elsewhere = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://elsewhere:4318")];
        let export = of(FILE, &elsewhere).unwrap().unwrap();
        assert!(export.plain_headers().is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (file, environment, word) in [
            (
                "endpoint = \"localhost:4318\"",
                vec![],
                "telemetry.endpoint",
            ),
            (
                "",
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://x")],
                "OTEL_EXPORTER_OTLP_ENDPOINT",
            ),
            (
                FILE,
                vec![("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                "http/protobuf",
            ),
            (
                "endpoint = \"http://x\"\nheaders = { \"a b\" = \"c\" }",
                vec![],
                "`a b`",
            ),
            ("endpont = \"http://x\"", vec![], "endpont"),
        ] {
            let error = of(file, &environment).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
