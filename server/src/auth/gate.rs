//! The door: everything that identities are decided by, in the state it has now.
//!
//! [`decide`] is the decision; this holds what it needs and exchanges it while the
//! server runs: tenants when the operator says so, keys when their issuer publishes new ones.
//! It also counts what each address gets wrong, so that nobody guesses for long.

use std::convert::Infallible;
use std::net::IpAddr;

use chat_protocol::code::Code;
use parking_lot::Mutex;
use uuid::Uuid;

use super::key_set::KeySet;
use super::shared_secret::{self, Secret};
use super::token::TokenVerifier;
use super::visitor_token::VisitorTokens;
use super::{Authority, Credentials, Decision, decide};
use crate::clock::Clock;
use crate::config::settings::Authentication;
use crate::error::Refusal;
use crate::limits::Buckets;
use crate::live::Live;
use crate::redis::Redis;
use crate::tenants::Tenants;

/// What identities are decided by, now.
pub struct Gate {
    clock: Clock,
    tenants: Live<Tenants>,
    verifier: Live<TokenVerifier>,
    visitors: Live<VisitorTokens>,
    key_set: Option<KeySet>,
    attempts: Mutex<Buckets<IpAddr>>,
    failures: Mutex<Buckets<IpAddr>>,
}

impl Gate {
    /// A gate that knows these.
    pub fn new(
        clock: Clock,
        tenants: Tenants,
        verifier: TokenVerifier,
        visitors: VisitorTokens,
        key_set: Option<KeySet>,
        settings: &Authentication,
    ) -> Self {
        let buckets = |rate| Mutex::new(Buckets::new(rate, settings.max_addresses, clock.now()));
        Self {
            clock,
            tenants: Live::new(tenants),
            verifier: Live::new(verifier),
            visitors: Live::new(visitors),
            key_set,
            attempts: buckets(settings.attempts_per_address),
            failures: buckets(settings.failures_per_address),
        }
    }

    /// The tenants.
    pub fn tenants(&self) -> &Live<Tenants> {
        &self.tenants
    }

    /// Whether a visitor token that does not hold here holds nowhere else. Otherwise only those who signed
    /// it can tell.
    pub fn judges_visitor_tokens(&self) -> bool {
        !self.visitors.load().is_provisional()
    }

    /// Counts a socket that asks to come in; `None` is not counted.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn count_attempt(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        match address {
            Some(address) if !self.attempts.lock().take(address, self.clock.now()) => {
                Err(too_often())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Makes sure that the key of a token is known, if its issuer can be asked for it. To be awaited
    /// before [`decide`](Self::decide).
    pub async fn prepare(&self, credential: Option<&str>) {
        if let (Some(key_set), Some(credential)) = (&self.key_set, credential)
            && self.verifier.load().lacks_key_for(credential)
        {
            key_set
                .refetch(self.clock, &self.verifier, credential)
                .await;
        }
    }

    /// Decides who a client at this address is; `None` is not counted.
    ///
    /// # Errors
    /// Those of [`decide`], and `RATE_LIMITED` after too many credentials that were none.
    pub fn decide(
        &self,
        credentials: &Credentials<'_>,
        address: Option<IpAddr>,
    ) -> Result<Decision, Refusal> {
        let now = self.clock.now();
        if address.is_some_and(|address| !self.failures.lock().has(&address, now)) {
            return Err(too_often());
        }
        let authority = Authority {
            tenants: &self.tenants.load(),
            verifier: &self.verifier.load(),
            visitors: &self.visitors.load(),
        };
        let decision = decide(credentials, &authority, self.clock.wall(), Uuid::new_v4());
        if let (Err(refusal), Some(address)) = (&decision, address)
            && is_guess(refusal.code())
        {
            self.failures.lock().take(address, now);
        }
        decision
    }

    /// Keeps the keys of the issuer's set fresh, and with `shared` signs visitors' tokens as all nodes of
    /// that Redis do, in place of the secret there. For ever.
    pub async fn run(&self, shared: Option<(Redis, Secret)>) -> Infallible {
        let keys = async {
            match &self.key_set {
                Some(key_set) => key_set.keep_fresh(self.clock, &self.verifier).await,
                None => std::future::pending().await,
            }
        };
        let secret = async {
            match &shared {
                Some((redis, own)) => shared_secret::keep(redis, &self.visitors, *own).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            never = keys => never,
            never = secret => never,
        }
    }
}

/// Whether a refusal is what somebody gets who tries credentials or names. An expired token, or none
/// at all, is a nuisance but no guess.
fn is_guess(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidApiKey | Code::InvalidToken | Code::WrongTenant | Code::UnknownTenant
    )
}

pub(crate) fn too_often() -> Refusal {
    Refusal::new(
        Code::RateLimited,
        "too many attempts from this address; wait a moment",
    )
}
