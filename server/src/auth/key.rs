//! The keys that tokens are verified with, from a secret, a PEM file or a JSON Web Key Set.
//!
//! What must stay true: a key's type alone decides for which algorithms it is tried. A public key
//! taken for a shared secret would let anybody sign, so what came as a public key never verifies
//! HS256, and a set fetched from elsewhere never brings a shared secret.

use std::fmt;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// More keys in one set are not looked at: a token without `kid` is tried with each.
const MAX_KEYS_IN_SET: usize = 32;

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// One key, and the only algorithms that it is good for.
#[derive(Clone)]
pub struct VerificationKey {
    /// The `kid`, if the key came with one.
    id: Option<String>,
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl VerificationKey {
    /// A shared secret, for HS256.
    pub fn shared_secret(secret: &str) -> Self {
        Self {
            id: None,
            key: DecodingKey::from_secret(secret.as_bytes()),
            algorithms: vec![Algorithm::HS256],
        }
    }

    /// Every public key of a PEM text.
    ///
    /// # Errors
    /// In one line, without any of the text: no key, an unknown kind of key, or a private one.
    pub fn all_of_pem(text: &str) -> Result<Vec<Self>, &'static str> {
        let keys = pem_blocks(text)
            .map(Self::of_pem)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err("it holds no PEM block");
        }
        Ok(keys)
    }

    /// The keys of a JSON Web Key Set that are of use here. Keys of unknown kinds, for encryption or
    /// with a secret in them are passed over.
    ///
    /// # Errors
    /// If it is no set, or has no key of use.
    pub fn all_of_set(json: &[u8]) -> Result<Vec<Self>, &'static str> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = serde_json::from_slice(json).map_err(|_| "it is not a JSON Web Key Set")?;
        let keys: Vec<Self> = set
            .keys
            .into_iter()
            .filter_map(|key| Self::of_jwk(&serde_json::from_value(key).ok()?))
            .take(MAX_KEYS_IN_SET)
            .collect();
        if keys.is_empty() {
            return Err("it has no key that verifies signatures");
        }
        Ok(keys)
    }

    /// Whether a token with this head may have been signed with this key's other half.
    pub(super) fn fits(&self, algorithm: Algorithm, id: Option<&str>) -> bool {
        let named = match (&self.id, id) {
            (Some(own), Some(asked)) => own == asked,
            (None, _) | (_, None) => true,
        };
        named && self.algorithms.contains(&algorithm)
    }

    pub(super) fn key(&self) -> &DecodingKey {
        &self.key
    }

    fn of_pem(block: &str) -> Result<Self, &'static str> {
        if block.contains("PRIVATE KEY") {
            return Err("it holds a private key; the server needs the public half alone");
        }
        let bytes = block.as_bytes();
        if let Ok(key) = DecodingKey::from_rsa_pem(bytes) {
            return Ok(Self::public(key, RSA.to_vec()));
        }
        if let Ok(key) = DecodingKey::from_ec_pem(bytes) {
            // An uncompressed point: one byte, and two coordinates of the curve's size.
            let algorithm = match key.try_get_as_bytes().map(<[u8]>::len) {
                Ok(65) => Algorithm::ES256,
                Ok(97) => Algorithm::ES384,
                Ok(_) | Err(_) => {
                    return Err("it holds a key on a curve other than P-256 and P-384");
                }
            };
            return Ok(Self::public(key, vec![algorithm]));
        }
        DecodingKey::from_ed_pem(bytes)
            .map(|key| Self::public(key, vec![Algorithm::EdDSA]))
            .map_err(|_| "it holds something that is no public RSA, EC or Ed25519 key")
    }

    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => RSA.to_vec(),
            AlgorithmParameters::EllipticCurve(parameters) => match parameters.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                EllipticCurve::P521 | EllipticCurve::Ed25519 | _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(_) => vec![Algorithm::EdDSA],
            AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_) | _ => return None,
        };
        let common = &jwk.common;
        if let Some(only) = common.key_algorithm {
            algorithms.retain(|algorithm| signs_with(only) == Some(*algorithm));
        }
        let for_signatures = match &common.public_key_use {
            None | Some(PublicKeyUse::Signature) => true,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)) => false,
        };
        let may_verify = common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if algorithms.is_empty() || !for_signatures || !may_verify {
            return None;
        }
        Some(Self {
            id: common.key_id.clone(),
            key: DecodingKey::from_jwk(jwk).ok()?,
            algorithms,
        })
    }

    fn public(key: DecodingKey, algorithms: Vec<Algorithm>) -> Self {
        Self {
            id: None,
            key,
            algorithms,
        }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerificationKey")
            .field("id", &self.id)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// The blocks of a PEM text, each with its first and last line.
fn pem_blocks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("-----BEGIN ").map(|(start, _)| {
        let block = &text[start..];
        let end = block
            .find("-----END ")
            .and_then(|end| Some(end + block[end..].find('\n')?));
        end.map_or(block, |end| &block[..end])
    })
}

fn signs_with(algorithm: KeyAlgorithm) -> Option<Algorithm> {
    Some(match algorithm {
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::ES384 => Algorithm::ES384,
        KeyAlgorithm::RS256 => Algorithm::RS256,
        KeyAlgorithm::RS384 => Algorithm::RS384,
        KeyAlgorithm::RS512 => Algorithm::RS512,
        KeyAlgorithm::PS256 => Algorithm::PS256,
        KeyAlgorithm::PS384 => Algorithm::PS384,
        KeyAlgorithm::PS512 => Algorithm::PS512,
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        KeyAlgorithm::HS256
        | KeyAlgorithm::HS384
        | KeyAlgorithm::HS512
        | KeyAlgorithm::RSA1_5
        | KeyAlgorithm::RSA_OAEP
        | KeyAlgorithm::RSA_OAEP_256
        | KeyAlgorithm::UNKNOWN_ALGORITHM
        | _ => return None,
    })
}
