//! What a gateway counts beside what every server counts. Labels are the operator's backends, codes and
//! statuses: nothing that a stranger chooses.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::backends::{Kind, Pool};
use super::balance::Health;
use crate::telemetry::Metrics;

/// Counters and gauges of one gateway.
#[derive(Clone)]
pub(crate) struct GatewayMetrics {
    /// What every server counts, and what renders all of it.
    pub(crate) base: Arc<Metrics>,
    health: Family<BackendLabel, Gauge>,
    load: Family<BackendLabel, Gauge>,
    answers: Family<AnswerLabel, Counter>,
    retries: Family<KindLabel, Counter>,
    limited: Family<WhatLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BackendLabel {
    kind: &'static str,
    backend: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    kind: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhatLabel {
    what: &'static str,
}

impl GatewayMetrics {
    /// Everything at zero.
    pub(crate) fn new() -> Self {
        let (health, load) = (Family::default(), Family::default());
        let (answers, retries, limited) = (Family::default(), Family::default(), Family::default());
        let base = Metrics::beside(|registry| {
            registry.register(
                "gateway_backend_health",
                "Health of each backend: 2 ready, 1 answering but not ready, 0 not to be connected to",
                health.clone(),
            );
            registry.register(
                "gateway_backend_load",
                "Sockets open through this gateway (ws), or requests under way (api), by backend",
                load.clone(),
            );
            registry.register(
                "gateway_answers",
                "Answers of backends, by kind of backend and status; 0 for none",
                answers.clone(),
            );
            registry.register(
                "gateway_retries",
                "Requests and sockets that were taken to another backend, by kind",
                retries.clone(),
            );
            registry.register(
                "gateway_rate_limited",
                "Requests over a rate, by what was counted: handshake, address or key",
                limited.clone(),
            );
        });
        Self {
            base: Arc::new(base),
            health,
            load,
            answers,
            retries,
            limited,
        }
    }

    /// A backend answered with this status, or, if 0, did not.
    pub(crate) fn answered(&self, kind: Kind, status: u16) {
        let label = AnswerLabel {
            kind: kind.as_str(),
            status,
        };
        self.answers.get_or_create(&label).inc();
    }

    /// Another backend is tried.
    pub(crate) fn retried(&self, kind: Kind) {
        let kind = kind.as_str();
        self.retries.get_or_create(&KindLabel { kind }).inc();
    }

    /// Something came too often.
    pub(crate) fn limited(&self, what: &'static str) {
        self.limited.get_or_create(&WhatLabel { what }).inc();
    }

    /// Sets what is so at this moment.
    pub(crate) fn observe(&self, pool: &Pool) {
        for backend in pool.backends() {
            let label = BackendLabel {
                kind: pool.kind().as_str(),
                backend: backend.name().to_owned(),
            };
            let health = match backend.health() {
                Health::Ready => 2,
                Health::Reachable => 1,
                Health::Down => 0,
            };
            self.health.get_or_create(&label).set(health);
            let load = i64::try_from(backend.load()).unwrap_or(i64::MAX);
            self.load.get_or_create(&label).set(load);
        }
    }
}
