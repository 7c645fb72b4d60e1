//! Scripts and calls of them, as values.
//!
//! What must stay true: a call is all that Redis is told, so that whatever runs it elsewhere runs the
//! same. A script is handed over with the call that lacked it, never ahead: `SCRIPT LOAD` goes to every
//! shard of a cluster, and fails when one of them is away that the call has nothing to do with.

use std::fmt;
use std::sync::Arc;

use redis::{Cmd, ToRedisArgs};

/// A script, and the hash by which Redis knows it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    text: Arc<str>,
    hash: Arc<str>,
}

/// A script with what it is to be called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    script: Script,
    keys: Vec<Vec<u8>>,
    args: Vec<Vec<u8>>,
}

impl Script {
    /// A script of this text.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            hash: sha1_smol::Sha1::from(text).digest().to_string().into(),
        }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-1 of its text in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// A call of it, as yet with nothing.
    pub fn call(&self) -> Call {
        Call {
            script: self.clone(),
            keys: Vec::new(),
            args: Vec::new(),
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Script").field(&self.hash).finish()
    }
}

impl Call {
    /// Adds a key. In a cluster all keys of a call lie in one slot.
    pub fn key(&mut self, key: impl ToRedisArgs) -> &mut Self {
        self.keys.extend(key.to_redis_args());
        self
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        self.args.extend(arg.to_redis_args());
        self
    }

    /// The script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// `KEYS`, in order.
    pub fn keys(&self) -> &[Vec<u8>] {
        &self.keys
    }

    /// `ARGV`, in order.
    pub fn args(&self) -> &[Vec<u8>] {
        &self.args
    }

    /// The call to a Redis that knows the script.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// The call to one that does not.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", &self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = Cmd::new();
        command
            .arg(name)
            .arg(script)
            .arg(self.keys.len())
            .arg(&self.keys)
            .arg(&self.args);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_shows_what_it_sends() {
        let script = Script::new("return 1");
        assert_eq!(script.hash(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        let mut call = script.call();
        call.key("k").arg(7).arg("").arg(vec![1_u8, 0]);
        assert_eq!(call.keys(), [b"k".to_vec()]);
        assert_eq!(call.args(), [b"7".to_vec(), Vec::new(), vec![1, 0]]);
        let packed = |parts: &[&[u8]]| {
            let mut command = Cmd::new();
            command.arg(parts);
            command.get_packed_command()
        };
        let rest: [&[u8]; 5] = [b"1", b"k", b"7", b"", &[1, 0]];
        let by = |name: &'static str, script: &'static str| {
            packed(&[&[name.as_bytes(), script.as_bytes()], &rest[..]].concat())
        };
        assert_eq!(
            call.by_hash().get_packed_command(),
            by("EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
        );
        assert_eq!(call.by_text().get_packed_command(), by("EVAL", "return 1"));
    }
}
