//! The lists of the tenants' conversations, in memory: each bounded, the one in which nothing was said for
//! longest going first.
//!
//! What must stay true: `order` and `known` of a tenant name the same conversations, and a tenant without any
//! has no entry.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::messages::listing::Place;
use crate::messages::{Conversation, Owner};

/// Where conversations stand, and who their visitors are.
#[derive(Debug)]
pub(super) struct Lists {
    limit: usize,
    tenants: HashMap<Arc<str>, List>,
}

#[derive(Debug, Default)]
struct List {
    order: BTreeSet<Place>,
    known: HashMap<Owner, Known>,
}

#[derive(Debug)]
struct Known {
    place: Place,
    visitor: Arc<str>,
}

impl Lists {
    /// Lists of at most so many conversations each.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            tenants: HashMap::new(),
        }
    }

    /// Something was said in a conversation.
    pub(super) fn put(&mut self, conversation: &Conversation, place: Place, visitor: &str) {
        let tenant = Arc::clone(&conversation.tenant);
        let list = self.tenants.entry(tenant).or_default();
        let known = Known {
            place: place.clone(),
            visitor: visitor.into(),
        };
        if let Some(before) = list.known.insert(conversation.owner.clone(), known) {
            list.order.remove(&before.place);
        }
        list.order.insert(place);
        while list.order.len() > self.limit {
            let oldest = list.order.pop_first();
            if let Some(owner) = oldest.and_then(|place| place.owner()) {
                list.known.remove(&owner);
            }
        }
    }

    /// A conversation is forgotten.
    pub(super) fn remove(&mut self, conversation: &Conversation) {
        let Some(list) = self.tenants.get_mut(&conversation.tenant) else {
            return;
        };
        if let Some(known) = list.known.remove(&conversation.owner) {
            list.order.remove(&known.place);
        }
        if list.order.is_empty() {
            self.tenants.remove(&conversation.tenant);
        }
    }

    /// The places of a tenant's conversations after that one, or all, the newest first, with their visitors.
    pub(super) fn after(
        &self,
        tenant: &str,
        after: Option<&Place>,
    ) -> impl Iterator<Item = (&Place, Owner, &Arc<str>)> {
        let list = self.tenants.get(tenant);
        let order = list.into_iter().flat_map(move |list| {
            let places = match after {
                Some(after) => list.order.range(..after),
                None => list.order.range(..),
            };
            places.rev().map(move |place| (list, place))
        });
        order.filter_map(|(list, place)| {
            let owner = place.owner()?;
            let known = list.known.get(&owner)?;
            Some((place, owner, &known.visitor))
        })
    }

    /// The visitor of a conversation.
    pub(super) fn visitor(&self, conversation: &Conversation) -> Option<&Arc<str>> {
        let list = self.tenants.get(&conversation.tenant)?;
        Some(&list.known.get(&conversation.owner)?.visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(tenant: &str, user: &str) -> Conversation {
        Conversation {
            tenant: tenant.into(),
            owner: Owner::User(user.into()),
        }
    }

    fn put(lists: &mut Lists, tenant: &str, user: &str, rank: u64) {
        let conversation = conversation(tenant, user);
        let place = Place::at(rank, conversation.owner.to_text());
        lists.put(&conversation, place, user);
    }

    fn listed(lists: &Lists, tenant: &str) -> Vec<String> {
        let all = lists.after(tenant, None);
        all.map(|(_, _, visitor)| visitor.to_string()).collect()
    }

    #[test]
    fn the_latest_of_each_tenant_stay_each_once() {
        let mut lists = Lists::new(2);
        put(&mut lists, "t", "a", 1);
        put(&mut lists, "t", "b", 2);
        put(&mut lists, "t", "a", 3);
        put(&mut lists, "u", "a", 1);
        assert_eq!(listed(&lists, "t"), ["a", "b"]);
        put(&mut lists, "t", "c", 4);
        assert_eq!(listed(&lists, "t"), ["c", "a"]);
        assert_eq!(listed(&lists, "u"), ["a"]);
        assert_eq!(lists.visitor(&conversation("t", "b")), None);
        // A message that is older than all of them is of a conversation that goes at once.
        put(&mut lists, "t", "d", 2);
        assert_eq!(listed(&lists, "t"), ["c", "a"]);
    }

    #[test]
    fn nothing_is_left_of_what_is_forgotten() {
        let mut lists = Lists::new(2);
        put(&mut lists, "t", "a", 1);
        lists.remove(&conversation("t", "b"));
        assert_eq!(listed(&lists, "t"), ["a"]);
        lists.remove(&conversation("t", "a"));
        lists.remove(&conversation("t", "a"));
        assert!(lists.tenants.is_empty());
    }
}
