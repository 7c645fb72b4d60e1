//! The id of a message that its sender has named.
//!
//! What must stay true: it follows from the tenant, the author, the name and the text alone, so that a second attempt has
//! the id of the first at whichever node it arrives, also after a restart; and no two of these give the same bytes to
//! the hash. The text is part of it, so that a page that calls all its messages by one name loses none that says something
//! else. Changing anything here makes other messages of all that are on their way.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::auth::Author;

/// Of what else this could be a hash.
const DOMAIN: &[u8] = b"chat message id 1";

/// The id of the message with this text that this author calls `client_id`: a UUID of version 8.
pub fn message_id(tenant: &str, author: &Author<'_>, client_id: &str, text: &str) -> Uuid {
    let (kind, author): (&[u8], &[u8]) = match author {
        Author::User(user) => (b"user", user.as_bytes()),
        Author::Key(digest) => (b"key", digest.as_bytes()),
    };
    let mut hash = Sha256::new();
    for part in [
        DOMAIN,
        tenant.as_bytes(),
        kind,
        author,
        client_id.as_bytes(),
        text.as_bytes(),
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tenants::KeyDigest;

    #[test]
    fn the_same_is_the_same_for_ever_and_everything_else_is_another() {
        let key = KeyDigest::of("secret");
        let named = |tenant, author, name| message_id(tenant, &author, name, "hi");
        let id = named("42", Author::User("ann"), "3q2-7w_A");
        assert_eq!(id, named("42", Author::User("ann"), "3q2-7w_A"));
        assert_eq!(id.to_string(), "77b0a8ed-8000-840e-b6e3-d30c12bc5899");
        assert_eq!(id.get_version_num(), 8);
        let all = [
            id,
            named("43", Author::User("ann"), "3q2-7w_A"),
            named("42", Author::User("bob"), "3q2-7w_A"),
            named("42", Author::User("ann"), "3q2-7w_B"),
            named("42", Author::Key(&key), "3q2-7w_A"),
            // Where one ends and the next begins is part of it.
            named("4", Author::User("2ann"), "3q2-7w_A"),
            named("42a", Author::User("nn"), "3q2-7w_A"),
            named("42", Author::User("ann3"), "q2-7w_A"),
            message_id("42", &Author::User("ann"), "3q2-7w_A", "ho"),
            message_id("42", &Author::User("ann"), "3q2-7w_", "Ahi"),
        ];
        assert_eq!(HashSet::from(all).len(), all.len());
    }
}
