//! The last touch before spans leave: lists as lists, since `tracing` knows none, and a word in the log
//! when the receiver begins or ceases to fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Attributes that are lists of words; spans hold them with commas between.
const LISTS: [&str; 2] = ["gen_ai.response.finish_reasons", "gaby.gate.reasons"];

/// An exporter, and what is done before it.
#[derive(Debug)]
pub(super) struct Shaped<E> {
    inner: E,
    fails: AtomicBool,
}

impl<E> Shaped<E> {
    pub(super) fn new(inner: E) -> Self {
        Self {
            inner,
            fails: AtomicBool::new(false),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Shaped<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let attributes = batch.iter_mut().flat_map(|span| &mut span.attributes);
        attributes.for_each(list);
        let result = self.inner.export(batch).await;
        let failed_before = self.fails.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(_) if !failed_before => {
                tracing::warn!("traces do not arrive: see whether the receiver is well");
            }
            Ok(()) if failed_before => tracing::info!("traces arrive again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

fn list(attribute: &mut KeyValue) {
    if !LISTS.contains(&attribute.key.as_str()) {
        return;
    }
    if let Value::String(words) = &attribute.value {
        let words: Vec<StringValue> = words
            .as_str()
            .split(',')
            .map(|word| word.to_owned().into())
            .collect();
        attribute.value = Value::Array(Array::String(words));
    }
}
