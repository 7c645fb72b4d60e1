//! Tenants: who may connect for whom, from which pages, with which keys.
//!
//! Keys are kept only as SHA-256 digests, also those that the file holds in plain text, so a key
//! is compared in constant time whatever its length and can be neither logged nor printed.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use toml::{Spanned, Value};

/// The admin key of the development tenant. It is public, hence the loopback rule in `config`.
pub const DEVELOPMENT_ADMIN_KEY: &str = "demo-admin-key";
/// The id of the development tenant.
pub const DEVELOPMENT_TENANT: &str = "demo";

const MAX_ID_BYTES: usize = 128;

/// All tenants that this server knows.
#[derive(Debug, Clone)]
pub struct Tenants {
    by_id: HashMap<Box<str>, Arc<Tenant>>,
    /// Every key of every tenant. Serves only to tell "this key belongs elsewhere" from "no such
    /// key"; what grants a right is [`Tenant::key_kind`].
    known_keys: HashSet<KeyDigest>,
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    id: Arc<str>,
    name: Box<str>,
    admin_keys: Vec<KeyDigest>,
    widget_keys: Vec<KeyDigest>,
    allowed_origins: Vec<Box<str>>,
    admin_origins: Vec<Box<str>>,
    full_urls: bool,
}

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The admin role in its tenant.
    Admin,
    /// The visitor role in its tenant.
    Widget,
}

/// A tenants file that cannot be used, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantsError(String);

/// The SHA-256 digest of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl Tenants {
    /// The tenant `demo`: a well-known admin key, no widget keys, any origin.
    pub fn development() -> Self {
        Self::index([Tenant {
            id: DEVELOPMENT_TENANT.into(),
            name: "Development".into(),
            admin_keys: vec![KeyDigest::of(DEVELOPMENT_ADMIN_KEY)],
            widget_keys: Vec::new(),
            allowed_origins: Vec::new(),
            admin_origins: Vec::new(),
            full_urls: false,
        }])
    }

    /// Reads the text of a tenants file.
    ///
    /// # Errors
    /// In one line: what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, TenantsError> {
        let line_of = |at: usize| {
            1 + text
                .get(..at)
                .map_or(0, |before| before.matches('\n').count())
        };
        let file: TenantsFile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            // The message of the parser may span lines; the first one says what is wrong.
            let what = error
                .message()
                .lines()
                .next()
                .unwrap_or("not a tenants file");
            TenantsError(format!("line {line}: {what}"))
        })?;
        if file.tenants.is_empty() {
            return Err(TenantsError("it names no tenant".to_owned()));
        }
        let mut seen = HashSet::new();
        let mut tenants = Vec::with_capacity(file.tenants.len());
        for entry in file.tenants {
            let line = line_of(entry.span().start);
            let tenant = entry
                .into_inner()
                .check()
                .map_err(|error| TenantsError(format!("line {line}: {error}")))?;
            if !seen.insert(Arc::clone(&tenant.id)) {
                return Err(TenantsError(format!(
                    "line {line}: tenant {:?} appears twice",
                    tenant.id
                )));
            }
            tenants.push(tenant);
        }
        Ok(Self::index(tenants))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The tenant with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Tenant>> {
        self.by_id.get(id)
    }

    /// Whether any tenant has this key.
    pub fn knows_key(&self, key: &KeyDigest) -> bool {
        self.known_keys.contains(key)
    }

    /// Whether pages of this origin may talk to at least one tenant.
    pub fn any_admits(&self, origin: &str) -> bool {
        self.by_id.values().any(|tenant| tenant.admits(origin))
    }

    fn index(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        let by_id: HashMap<_, _> = tenants
            .into_iter()
            .map(|tenant| (Box::from(&*tenant.id), Arc::new(tenant)))
            .collect();
        let known_keys = by_id
            .values()
            .flat_map(|tenant| tenant.admin_keys.iter().chain(&tenant.widget_keys))
            .copied()
            .collect();
        Self { by_id, known_keys }
    }
}

impl Tenant {
    /// The id, as it stands in requests and rooms.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What this key opens here. Looks at every key whatever matches, so that the time taken says
    /// nothing about which one did.
    pub fn key_kind(&self, key: &KeyDigest) -> Option<KeyKind> {
        let any = |keys: &[KeyDigest]| {
            keys.iter().fold(Choice::from(0), |found, known| {
                found | known.0.ct_eq(&key.0)
            })
        };
        let (admin, widget) = (any(&self.admin_keys), any(&self.widget_keys));
        if bool::from(admin) {
            Some(KeyKind::Admin)
        } else if bool::from(widget) {
            Some(KeyKind::Widget)
        } else {
            None
        }
    }

    /// Whether visitors have to show a widget key (or a token).
    pub fn needs_widget_key(&self) -> bool {
        !self.widget_keys.is_empty()
    }

    /// Whether visitors may come from pages of this origin.
    pub fn admits_visitors_from(&self, origin: &str) -> bool {
        lists(&self.allowed_origins, origin)
    }

    /// Whether admins may come from pages of this origin.
    pub fn admits_admins_from(&self, origin: &str) -> bool {
        lists(&self.admin_origins, origin)
    }

    /// Whether its staff are shown addresses with what stands behind `?` and `#`.
    pub fn full_urls(&self) -> bool {
        self.full_urls
    }

    /// Whether anybody may come from pages of this origin.
    pub fn admits(&self, origin: &str) -> bool {
        self.admits_visitors_from(origin) || self.admits_admins_from(origin)
    }
}

impl KeyDigest {
    /// The digest of a key as a client shows it.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads a key of the file: plain, or `sha256:<hex>`.
    fn parse(written: &str) -> Result<Self, &'static str> {
        let Some(hex) = written.strip_prefix("sha256:") else {
            return if written.trim().is_empty() {
                Err("an empty key")
            } else {
                Ok(Self::of(written))
            };
        };
        let malformed = "a sha256: key that is not 64 hexadecimal digits";
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        let mut digest = [0; 32];
        for (index, byte) in digest.iter_mut().enumerate() {
            let pair = hex.get(2 * index..2 * index + 2).ok_or(malformed)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyDigest(..)")
    }
}

impl fmt::Display for TenantsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TenantsError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantsFile {
    #[serde(default)]
    tenants: Vec<Spanned<TenantEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantEntry {
    #[serde(deserialize_with = "text_or_integer")]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "keys")]
    admin_keys: Vec<String>,
    #[serde(default, deserialize_with = "keys")]
    widget_keys: Vec<String>,
    #[serde(default)]
    allowed_origins: Vec<String>,
    #[serde(default)]
    admin_origins: Vec<String>,
    #[serde(default)]
    full_urls: bool,
}

impl TenantEntry {
    fn check(self) -> Result<Tenant, TenantsError> {
        let id = self.id;
        let fail = |what: &str| TenantsError(format!("tenant {id:?}: {what}"));
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(fail("an id has 1 to 128 bytes"));
        }
        // Braces would move the tenant's keys to another slot of a Redis cluster.
        if !id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}'))
        {
            return Err(fail(
                "an id has no braces, spaces, control or non-ASCII characters",
            ));
        }
        let keys = |written: &[String]| -> Result<Vec<KeyDigest>, TenantsError> {
            written
                .iter()
                .map(|key| KeyDigest::parse(key).map_err(fail))
                .collect()
        };
        let (admin_keys, widget_keys) = (keys(&self.admin_keys)?, keys(&self.widget_keys)?);
        // A widget key is printed in every page of the shop.
        if admin_keys.iter().any(|key| widget_keys.contains(key)) {
            return Err(fail("one key is both an admin key and a widget key"));
        }
        let origins = |written: &[String]| -> Result<Vec<Box<str>>, TenantsError> {
            written
                .iter()
                .map(|origin| normal_origin(origin).map_err(fail))
                .collect()
        };
        let (allowed_origins, admin_origins) = (
            origins(&self.allowed_origins)?,
            origins(&self.admin_origins)?,
        );
        Ok(Tenant {
            name: if self.name.is_empty() {
                id.as_str()
            } else {
                self.name.as_str()
            }
            .into(),
            id: id.into(),
            admin_keys,
            widget_keys,
            allowed_origins,
            admin_origins,
            full_urls: self.full_urls,
        })
    }
}

/// An origin as browsers send it: scheme, host and port in lower case, no path.
fn normal_origin(written: &str) -> Result<Box<str>, &'static str> {
    let origin = written.trim().trim_end_matches('/').to_ascii_lowercase();
    match origin.split_once("://") {
        Some((scheme, host))
            if !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '*']) =>
        {
            Ok(origin.into())
        }
        Some(_) | None => Err("an origin is written like https://shop.example, without a path"),
    }
}

fn lists(origins: &[Box<str>], origin: &str) -> bool {
    origins.is_empty()
        || origins
            .iter()
            .any(|known| known.eq_ignore_ascii_case(origin))
}

/// The parser's own error would repeat what stands there, and that is a key.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Value::deserialize(deserializer)?
        .try_into()
        .map_err(|_| serde::de::Error::custom("keys are a list of texts"))
}

fn text_or_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an id is a string or an integer")]
    enum Id {
        Text(String),
        Integer(i64),
    }
    Ok(match Id::deserialize(deserializer)? {
        Id::Text(text) => text,
        Id::Integer(integer) => integer.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = r#"
        [[tenants]]
        id = 42
        name = "Shop"
        admin_keys = ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
        widget_keys = ["widget"]
        allowed_origins = ["https://Shop.example/"]
    "#;

    #[test]
    fn keys_may_be_plain_or_digests() {
        let tenants = Tenants::parse(SHOP).unwrap();
        let shop = tenants.get("42").unwrap();
        assert_eq!(
            shop.key_kind(&KeyDigest::of("secret")),
            Some(KeyKind::Admin)
        );
        assert_eq!(
            shop.key_kind(&KeyDigest::of("widget")),
            Some(KeyKind::Widget)
        );
        assert_eq!(shop.key_kind(&KeyDigest::of("Widget")), None);
        assert!(tenants.knows_key(&KeyDigest::of("secret")));
        assert!(
            !format!("{tenants:?}").contains("widget\""),
            "keys are never printed"
        );
    }

    #[test]
    fn whole_addresses_are_asked_for() {
        let shop = Tenants::parse(SHOP).unwrap();
        assert!(!shop.get("42").unwrap().full_urls());
        let asks = [SHOP, "full_urls = true"].concat();
        assert!(
            Tenants::parse(&asks)
                .unwrap()
                .get("42")
                .unwrap()
                .full_urls()
        );
        assert!(!Tenants::development().get("demo").unwrap().full_urls());
    }

    #[test]
    fn an_empty_list_of_origins_admits_any() {
        let tenants = Tenants::parse(SHOP).unwrap();
        let shop = tenants.get("42").unwrap();
        assert!(shop.admits_visitors_from("https://shop.example"));
        assert!(!shop.admits_visitors_from("https://shop.example.evil"));
        assert!(!shop.admits_visitors_from("null"));
        assert!(shop.admits_admins_from("https://anything.example"));
    }

    #[test]
    fn a_bad_file_is_explained_in_one_line() {
        let cases = [
            ("", "names no tenant"),
            ("[[tenants]]\nname = \"x\"", "missing field `id`"),
            ("[[tenants]]\nid = \"a\"\nadmin_key = []", "line 3"),
            ("[[tenants]]\nid = \"{a}\"", "no braces"),
            (
                "[[tenants]]\nid = \"a\"\nadmin_keys = [\"sha256:12\"]",
                "64 hexadecimal",
            ),
            ("[[tenants]]\nid = \"a\"\nadmin_keys = [\"\"]", "empty key"),
            (
                "[[tenants]]\nid = \"a\"\nallowed_origins = [\"shop\"]",
                "without a path",
            ),
            (
                "[[tenants]]\nid = \"a\"\nadmin_keys = [\"k\"]\nwidget_keys = [\"k\"]",
                "both",
            ),
            ("[[tenants]]\nid = 1\n[[tenants]]\nid = \"1\"", "twice"),
            (
                "[[tenants]]\nid = \"a\"\n[[tenants]]\nid = \"a b\"",
                "line 3",
            ),
            (
                "\n[[tenants]]\nid = \"a\"\n\n[[tenants]]\nid = \"a\"",
                "line 5",
            ),
            (
                "[[tenants]]\nid = \"a\"\nadmin_keys = \"hunter2\"",
                "line 3",
            ),
            (
                "[[tenants]]\nid = \"a\"\nadmin_keys = [[\"hunter2\"]]",
                "list of texts",
            ),
            (
                "[[tenants]]\nid = \"a\"\nadmin_keys = [\"hunter2]",
                "line 3",
            ),
            ("[[tenants]]\nid = \"a\\u0007\"", "no braces"),
            ("not toml", "line 1"),
        ];
        for (text, expected) in cases {
            let error = Tenants::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text:?} gave {error:?}");
            assert!(!error.contains('\n'), "{error:?} has more than one line");
            assert!(!error.contains("hunter2"), "{error:?}");
        }
    }
}
