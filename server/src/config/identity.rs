//! The options that say how tokens are verified and signed.

use std::path::Path;

use super::cli::Cli;
use super::{ConfigError, Notice, Settings, read};
use crate::auth::key::VerificationKey;
use crate::auth::key_set::{KeySet, KeySetUrl};
use crate::auth::token::TokenVerifier;
use crate::auth::visitor_token::VisitorTokens;

/// A shared secret shorter than this can be guessed from one token.
const SHORT_SECRET_BYTES: usize = 32;

/// How tokens are verified: with the keys on the command line and in the files it names.
pub(super) fn verifier(cli: &Cli, notices: &mut Vec<Notice>) -> Result<TokenVerifier, ConfigError> {
    let mut keys = Vec::new();
    if let Some(secret) = &cli.jwt_secret {
        if secret.len() < SHORT_SECRET_BYTES {
            notices.push(Notice::ShortSecret);
        }
        keys.push(VerificationKey::shared_secret(secret));
    }
    for path in &cli.jwt_public_key {
        keys.extend(public_keys(path)?);
    }
    if keys.is_empty() && cli.jwks_url.is_none() {
        for (option, given) in [
            ("--jwt-issuer", cli.jwt_issuer.is_some()),
            ("--jwt-audience", cli.jwt_audience.is_some()),
        ] {
            if given {
                return Err(ConfigError::new(format!(
                    "{option} needs --jwt-secret, --jwt-public-key or --jwks-url"
                )));
            }
        }
    }
    Ok(TokenVerifier::new(keys).demanding(cli.jwt_issuer.clone(), cli.jwt_audience.clone()))
}

/// The key set to be fetched, if there is one.
pub(super) fn key_set(cli: &Cli, settings: &Settings) -> Result<Option<KeySet>, ConfigError> {
    let Some(url) = &cli.jwks_url else {
        return Ok(None);
    };
    // Without the address: it may hold a secret.
    let fail = |what: &dyn std::fmt::Display| ConfigError::new(format!("--jwks-url: {what}"));
    let url = KeySetUrl::parse(url).map_err(|error| fail(&error))?;
    KeySet::new(url, settings.key_sets.clone())
        .map(Some)
        .map_err(|error| fail(&error))
}

/// What visitor tokens are signed with, if that outlives the process.
pub(super) fn visitor_tokens(
    cli: &Cli,
    settings: &Settings,
    notices: &mut Vec<Notice>,
) -> Option<VisitorTokens> {
    let secret = cli
        .visitor_token_secret
        .as_ref()
        .or(cli.jwt_secret.as_ref());
    // The nodes of a Redis agree on one.
    if secret.is_none() && cli.redis_url.is_none() {
        notices.push(Notice::PassingVisitorTokens);
    }
    let lifetime = settings.authentication.visitor_token_lifetime;
    Some(VisitorTokens::new(secret?.as_bytes(), lifetime))
}

fn public_keys(path: &Path) -> Result<Vec<VerificationKey>, ConfigError> {
    VerificationKey::all_of_pem(&read(path)?).map_err(|error| ConfigError::new(error).in_file(path))
}
