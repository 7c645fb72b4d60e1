//! The list of a tenant's conversations, as a sorted set of their owners beside the histories.
//!
//! `append.lua` and `retract.lua` write it in the same step as the history, whose last message is not written
//! twice: it is read there. So a conversation whose history has expired is not listed, though its owner may
//! stand in the set for a while. Nor is a visitor who spoke last written twice: a hash has those to whom staff
//! spoke. It expires later than any history that ends with staff.

use std::collections::VecDeque;
use std::sync::Arc;

use redis::{Cmd, Pipeline};

use super::keys;
use crate::error::StoreError;
use crate::messages::listing::{Listed, Listing, Place, visiting_author};
use crate::messages::{Conversation, Owner, Visitor};
use crate::redis::Redis;

/// Reads a part of the list.
///
/// Where the conversations stand is read at once, which the bound of the list allows; then only the messages of
/// those that are asked for.
pub(super) async fn read(
    redis: &Redis,
    tenant: &str,
    after: Option<&Place>,
    limit: usize,
) -> Result<Listing, StoreError> {
    let mut places: VecDeque<Place> = places(redis, tenant, after).await?.into();
    let mut found = Vec::new();
    // One more than is asked for, to know whether there are any.
    while !places.is_empty() && found.len() <= limit {
        let missing = limit.saturating_add(1) - found.len();
        let some = places.drain(..missing.min(places.len())).collect();
        found.extend(last_said(redis, tenant, some).await?);
    }
    Ok(Listing::of(found, limit))
}

/// The visitor of a conversation.
pub(super) async fn visitor(
    redis: &Redis,
    conversation: &Conversation,
) -> Result<Option<Visitor>, StoreError> {
    let mut read = Pipeline::new();
    read.cmd("EXISTS").arg(keys::nobodys(conversation));
    read.cmd("LINDEX").arg(keys::history(conversation)).arg(-1);
    read.cmd("HGET")
        .arg(keys::visitors(&conversation.tenant))
        .arg(conversation.owner.to_text());
    let (is_nobodys, last, spoken_to): (bool, Option<String>, Option<String>) =
        redis.pipeline("find a visitor", &read).await?;
    if is_nobodys {
        return Ok(Some(Visitor::Nobody));
    }
    if let Owner::User(_) = &conversation.owner {
        return Ok(Some(Visitor::Told));
    }
    let author = last.as_deref().and_then(visiting_author);
    let visitor = author.or_else(|| spoken_to.map(Arc::from));
    Ok(visitor.map(Visitor::Named))
}

async fn places(
    redis: &Redis,
    tenant: &str,
    after: Option<&Place>,
) -> Result<Vec<Place>, StoreError> {
    let newest = after.map_or_else(|| "+inf".to_owned(), |place| place.rank().to_string());
    let mut command = Cmd::new();
    command
        .arg("ZREVRANGEBYSCORE")
        .arg(keys::conversations(tenant))
        .arg(newest)
        .arg("-inf")
        .arg("WITHSCORES");
    let order: Vec<(String, u64)> = redis.query("list conversations", &command).await?;
    let places = order
        .into_iter()
        .map(|(owner, rank)| Place::at(rank, owner));
    // Of one time there may be several, on both sides of the place.
    Ok(places
        .filter(|place| after.is_none_or(|after| place < after))
        .collect())
}

/// What was said last at these places, without those at which nothing is kept any more.
async fn last_said(
    redis: &Redis,
    tenant: &str,
    places: Vec<Place>,
) -> Result<Vec<(Place, Listed)>, StoreError> {
    let tenant: Arc<str> = tenant.into();
    let mut read = Pipeline::with_capacity(2 * places.len());
    let mut asked = Vec::with_capacity(places.len());
    for place in places {
        let owner = place
            .owner()
            .ok_or_else(|| StoreError::new("a list of conversations holds no owner"))?;
        let conversation = Conversation {
            tenant: Arc::clone(&tenant),
            owner,
        };
        read.cmd("HGET")
            .arg(keys::visitors(&tenant))
            .arg(place.owner_text());
        read.cmd("LINDEX").arg(keys::history(&conversation)).arg(-1);
        asked.push((place, conversation.owner));
    }
    let answers: Vec<Option<String>> = redis.pipeline("read conversations", &read).await?;
    let mut answers = answers.into_iter();
    let mut listed = Vec::with_capacity(asked.len());
    for (place, owner) in asked {
        let visitor = answers.next().flatten().map(Arc::from);
        if let Some(last) = answers.next().flatten() {
            let last = last.into();
            listed.push((
                place,
                Listed {
                    owner,
                    visitor,
                    last,
                },
            ));
        }
    }
    Ok(listed)
}
