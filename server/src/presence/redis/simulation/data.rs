//! What a Redis holds, as a value, and the commands that the scripts use.
//!
//! What must stay true: each command answers as the real one does. A test gives the same commands to both.

use std::collections::BTreeMap;
use std::ops::Bound;

/// A text of Redis.
pub(super) type Text = Vec<u8>;

/// Everything that is held.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    keys: BTreeMap<Text, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    value: Kept,
    /// In milliseconds.
    expires: Option<u64>,
}

#[derive(Debug, Clone)]
enum Kept {
    Hash(BTreeMap<Text, Text>),
    /// Member to score. The scripts never need more than a walk over all of it.
    Sorted(BTreeMap<Text, f64>),
}

/// What a command answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Nil,
    Int(i64),
    Text(Text),
    List(Vec<Reply>),
    /// To all who listen to a channel.
    Published {
        channel: Text,
        payload: Text,
    },
}

/// A command that is none of those that the scripts use, or that uses a key as what it is not.
#[derive(Debug)]
pub(super) struct Misused(String);

impl std::fmt::Display for Misused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Misused {}

impl Data {
    /// Runs a command at a time in milliseconds.
    pub(super) fn run(&mut self, now: u64, command: &[Text]) -> Result<Reply, Misused> {
        self.keys
            .retain(|_, entry| entry.expires.is_none_or(|at| at > now));
        let text = |index: usize| command.get(index).map_or(&b""[..], Vec::as_slice);
        let name = String::from_utf8_lossy(text(0)).to_uppercase();
        let reply = match name.as_str() {
            "EXISTS" => Reply::Int(i64::from(self.keys.contains_key(text(1)))),
            "DEL" => Reply::count(
                command
                    .iter()
                    .skip(1)
                    .filter(|key| self.keys.remove(*key).is_some())
                    .count(),
            ),
            "PEXPIRE" => {
                let left: u64 = number(text(2))?;
                let entry = self.keys.get_mut(text(1));
                let known = entry.map(|entry| entry.expires = Some(now + left));
                Reply::Int(i64::from(known.is_some()))
            }
            "PTTL" => match self.keys.get(text(1)) {
                None => Reply::Int(-2),
                Some(Entry { expires: None, .. }) => Reply::Int(-1),
                Some(Entry {
                    expires: Some(at), ..
                }) => Reply::Int(i64::try_from(at - now).unwrap_or(i64::MAX)),
            },
            "PUBLISH" | "SPUBLISH" => Reply::Published {
                channel: text(1).into(),
                payload: text(2).into(),
            },
            _ if name.starts_with('H') => self.run_on_hash(&name, command)?,
            _ if name.starts_with('Z') => self.run_on_sorted(&name, command)?,
            _ => return Err(Misused(name)),
        };
        self.keys.retain(|_, entry| !entry.value.is_empty());
        Ok(reply)
    }

    fn run_on_hash(&mut self, name: &str, command: &[Text]) -> Result<Reply, Misused> {
        let [_, key, rest @ ..] = command else {
            return Err(Misused(name.to_owned()));
        };
        let hash = self.hash(key)?;
        Ok(match (name, rest) {
            ("HGET", [field]) => hash.get(field).cloned().map_or(Reply::Nil, Reply::Text),
            ("HSET", [field, value]) => Reply::Int(i64::from(
                hash.insert(field.clone(), value.clone()).is_none(),
            )),
            ("HSETNX", [field, value]) => {
                let absent = !hash.contains_key(field);
                if absent {
                    hash.insert(field.clone(), value.clone());
                }
                Reply::Int(i64::from(absent))
            }
            ("HDEL", [field]) => Reply::Int(i64::from(hash.remove(field).is_some())),
            ("HLEN", []) => Reply::count(hash.len()),
            ("HVALS", []) => texts(hash.values().cloned()),
            ("HINCRBY", [field, by]) => {
                let before: i64 = hash.get(field).map_or(Ok(0), |text| number(text))?;
                let after = before + number::<i64>(by)?;
                hash.insert(field.clone(), after.to_string().into_bytes());
                Reply::Int(after)
            }
            ("HGETALL", []) => {
                let pairs = hash.iter().flat_map(|(field, value)| [field, value]);
                Reply::List(pairs.cloned().map(Reply::Text).collect())
            }
            _ => return Err(Misused(name.to_owned())),
        })
    }

    fn run_on_sorted(&mut self, name: &str, command: &[Text]) -> Result<Reply, Misused> {
        let [_, key, rest @ ..] = command else {
            return Err(Misused(name.to_owned()));
        };
        let sorted = self.sorted(key)?;
        Ok(match (name, rest) {
            ("ZADD", [score, member]) => {
                let score = number(score)?;
                Reply::Int(i64::from(sorted.insert(member.clone(), score).is_none()))
            }
            ("ZREM", [member]) => Reply::Int(i64::from(sorted.remove(member).is_some())),
            ("ZSCORE", [member]) => sorted.get(member).map_or(Reply::Nil, |score| {
                Reply::Text(score.to_string().into_bytes())
            }),
            ("ZCOUNT", [from, to]) => {
                let range = (score_bound(from)?, score_bound(to)?);
                Reply::count(by_score(sorted, range).len())
            }
            ("ZLEXCOUNT", [from, to]) => {
                Reply::count(by_name(sorted, (lex_bound(from)?, lex_bound(to)?)).len())
            }
            ("ZRANGEBYSCORE", [from, to, limit @ ..]) => {
                let range = (score_bound(from)?, score_bound(to)?);
                let members = by_score(sorted, range)
                    .into_iter()
                    .map(|(member, _)| member);
                texts(limited(members, limit)?)
            }
            ("ZRANGE", [from, to, with]) if with.as_slice() == b"WITHSCORES" => {
                let (from, to): (usize, usize) = (number(from)?, number(to)?);
                let all = by_score(sorted, (Bound::Unbounded, Bound::Unbounded));
                let part = all.into_iter().skip(from).take(to + 1 - from);
                texts(part.flat_map(|(member, score)| [member, score.to_string().into_bytes()]))
            }
            ("ZRANGEBYLEX", [from, to, limit @ ..]) => {
                let members = by_name(sorted, (lex_bound(from)?, lex_bound(to)?));
                texts(limited(members.into_iter(), limit)?)
            }
            ("ZREVRANGEBYLEX", [to, from, limit @ ..]) => {
                let members = by_name(sorted, (lex_bound(from)?, lex_bound(to)?));
                texts(limited(members.into_iter().rev(), limit)?)
            }
            _ => return Err(Misused(name.to_owned())),
        })
    }

    fn hash(&mut self, key: &[u8]) -> Result<&mut BTreeMap<Text, Text>, Misused> {
        match self.entry(key, || Kept::Hash(BTreeMap::new())) {
            Kept::Hash(hash) => Ok(hash),
            Kept::Sorted(_) => Err(Misused("a sorted set is no hash".to_owned())),
        }
    }

    fn sorted(&mut self, key: &[u8]) -> Result<&mut BTreeMap<Text, f64>, Misused> {
        match self.entry(key, || Kept::Sorted(BTreeMap::new())) {
            Kept::Sorted(sorted) => Ok(sorted),
            Kept::Hash(_) => Err(Misused("a hash is no sorted set".to_owned())),
        }
    }

    fn entry(&mut self, key: &[u8], empty: impl FnOnce() -> Kept) -> &mut Kept {
        let entry = self.keys.entry(key.into()).or_insert_with(|| Entry {
            value: empty(),
            expires: None,
        });
        &mut entry.value
    }

    /// The names of all keys.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |key: &Text| String::from_utf8_lossy(key).into_owned();
        self.keys.keys().map(name).collect()
    }
}

impl Kept {
    fn is_empty(&self) -> bool {
        match self {
            Self::Hash(hash) => hash.is_empty(),
            Self::Sorted(sorted) => sorted.is_empty(),
        }
    }
}

impl Reply {
    fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

fn texts(texts: impl IntoIterator<Item = Text>) -> Reply {
    Reply::List(texts.into_iter().map(Reply::Text).collect())
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Result<T, Misused> {
    let text = String::from_utf8_lossy(text);
    text.parse()
        .map_err(|_| Misused(format!("{text:?} is no number")))
}

fn score_bound(text: &[u8]) -> Result<Bound<f64>, Misused> {
    Ok(match text {
        b"-inf" => Bound::Included(f64::NEG_INFINITY),
        b"+inf" => Bound::Included(f64::INFINITY),
        [b'(', rest @ ..] => Bound::Excluded(number(rest)?),
        _ => Bound::Included(number(text)?),
    })
}

fn lex_bound(text: &[u8]) -> Result<Bound<Text>, Misused> {
    match text {
        [b'[', rest @ ..] => Ok(Bound::Included(rest.into())),
        _ => Err(Misused("a bound begins with [".to_owned())),
    }
}

/// Those within the bounds, by name.
fn by_name(sorted: &BTreeMap<Text, f64>, (from, to): (Bound<Text>, Bound<Text>)) -> Vec<Text> {
    // Bounds in the wrong order are allowed, and hold nothing.
    let within = |member: &&Text| {
        std::ops::RangeBounds::<Text>::contains(&(from.as_ref(), to.as_ref()), *member)
    };
    sorted.keys().filter(within).cloned().collect()
}

/// Those within the bounds, by score and then by name.
fn by_score(
    sorted: &BTreeMap<Text, f64>,
    (from, to): (Bound<f64>, Bound<f64>),
) -> Vec<(Text, f64)> {
    let within = |score: f64| std::ops::RangeBounds::contains(&(from, to), &score);
    let mut members: Vec<_> = sorted
        .iter()
        .filter(|(_, score)| within(**score))
        .map(|(member, score)| (member.clone(), *score))
        .collect();
    // Stable, so that equal scores stay in the order of their names.
    members.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    members
}

fn limited(members: impl Iterator<Item = Text>, limit: &[Text]) -> Result<Vec<Text>, Misused> {
    match limit {
        [] => Ok(members.collect()),
        [word, from, count] if word.as_slice() == b"LIMIT" => {
            let (from, count): (usize, usize) = (number(from)?, number(count)?);
            Ok(members.skip(from).take(count).collect())
        }
        _ => Err(Misused("LIMIT takes two numbers".to_owned())),
    }
}
