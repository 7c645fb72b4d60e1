//! Which backend is tried first: pure functions over what is known of each.
//!
//! What must stay true: every backend is in the answer once, better health always comes before less load, and
//! gateways that know the same agree on where a tenant's sockets belong, without talking to each other.

use sha2::{Digest as _, Sha256};

/// How a backend was when it was last heard of. The better, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    /// It says that it is ready.
    Ready,
    /// It answers, but says that something is missing. It still serves whom it has.
    Reachable,
    /// It cannot be connected to.
    Down,
}

/// A backend to choose from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    /// Its name, the same on all gateways.
    pub(crate) name: &'a str,
    pub(crate) health: Health,
    /// What it has from this gateway: open sockets, or requests under way.
    pub(crate) load: usize,
}

/// How much more than its share of sockets a backend takes before the next in a tenant's order gets the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// Times the mean.
    pub(crate) factor: f64,
    /// And so many more, so that the first few tenants are not torn apart.
    pub(crate) slack: usize,
}

/// The order in which a tenant's new socket is offered to backends: rendezvous hashing with bounded load. A
/// tenant lives on the first in its order, and overflows to the next.
pub(crate) fn by_tenant(tenant: &str, candidates: &[Candidate<'_>], bound: Bound) -> Vec<usize> {
    let mut order: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            let full = candidate.load >= most(candidates, candidate.health, bound);
            let last = std::cmp::Reverse(weight(tenant, candidate.name));
            ((candidate.health, full, last), index)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

/// The order in which a request is offered to backends: the fewest requests under way first, in turn among
/// equals.
pub(crate) fn by_load(candidates: &[Candidate<'_>], turn: usize) -> Vec<usize> {
    let count = candidates.len().max(1);
    let mut order: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            let place = (index + count - turn % count) % count;
            ((candidate.health, candidate.load, place), index)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

/// From this load on a backend of that health is full.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts of sockets are far below what a float holds exactly, and never negative"
)]
fn most(candidates: &[Candidate<'_>], health: Health, bound: Bound) -> usize {
    let peers = || candidates.iter().filter(|peer| peer.health == health);
    let open: usize = peers().map(|peer| peer.load).sum();
    // The one that is about to come counts.
    let mean = (open + 1) as f64 / peers().count().max(1) as f64;
    (mean * bound.factor).ceil() as usize + bound.slack
}

/// A backend's weight for a tenant: the highest wins, and adding a backend moves only what it wins.
fn weight(tenant: &str, name: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(tenant.as_bytes());
    // Not part of any backend's name.
    hash.update([0]);
    hash.update(name.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound {
        factor: 1.25,
        slack: 4,
    };
    const NAMES: [&str; 4] = ["a:1", "b:1", "c:1", "d:1"];

    fn all(health: Health, loads: [usize; 4]) -> Vec<Candidate<'static>> {
        let of = |(name, load)| Candidate { name, health, load };
        NAMES.into_iter().zip(loads).map(of).collect()
    }

    #[test]
    fn a_tenant_stays_with_one_backend_and_tenants_spread() {
        let idle = all(Health::Ready, [0; 4]);
        let mut homes = [0; 4];
        for tenant in 0..400 {
            let tenant = tenant.to_string();
            let order = by_tenant(&tenant, &idle, BOUND);
            assert_eq!(order, by_tenant(&tenant, &idle, BOUND));
            homes[order[0]] += 1;
        }
        assert!(homes.iter().all(|count| *count > 50), "{homes:?}");
    }

    #[test]
    fn a_backend_more_moves_only_the_tenants_it_wins() {
        let four = all(Health::Ready, [0; 4]);
        for tenant in 0..100 {
            let tenant = tenant.to_string();
            let before = by_tenant(&tenant, &four[..3], BOUND)[0];
            let after = by_tenant(&tenant, &four, BOUND)[0];
            assert!(after == before || after == 3);
        }
    }

    #[test]
    fn a_big_tenant_overflows_in_its_own_order_and_never_beyond_the_bound() {
        let mut backends = all(Health::Ready, [0; 4]);
        for sockets in 0..1000_usize {
            let chosen = by_tenant("big", &backends, BOUND)[0];
            let limit = most(&backends, Health::Ready, BOUND);
            assert!(backends[chosen].load < limit, "{sockets}: {backends:?}");
            backends[chosen].load += 1;
        }
        let loads: Vec<_> = backends.iter().map(|backend| backend.load).collect();
        assert!(loads.iter().all(|load| *load <= 317), "{loads:?}");
        let order = by_tenant("big", &all(Health::Ready, [0; 4]), BOUND);
        assert!(loads[order[0]] >= loads[order[3]], "{loads:?} {order:?}");
    }

    #[test]
    fn health_comes_before_load_and_the_worst_are_still_there() {
        let mut backends = all(Health::Down, [0; 4]);
        backends[2].health = Health::Reachable;
        backends[1] = Candidate {
            health: Health::Ready,
            load: 10_000,
            ..backends[1]
        };
        for order in [
            by_tenant("t", &backends, BOUND),
            by_load(&backends, 0),
            by_load(&backends, 3),
        ] {
            assert_eq!(order[..2], [1, 2]);
            assert_eq!(order.len(), 4);
        }
    }

    #[test]
    fn requests_go_to_the_least_busy_and_in_turn_among_equals() {
        let backends = all(Health::Ready, [3, 1, 2, 1]);
        assert_eq!(by_load(&backends, 0), [1, 3, 2, 0]);
        assert_eq!(by_load(&backends, 2), [3, 1, 2, 0]);
        let firsts: Vec<_> = (0..4)
            .map(|turn| by_load(&all(Health::Ready, [0; 4]), turn)[0])
            .collect();
        assert_eq!(firsts, [0, 1, 2, 3]);
        assert_eq!(by_load(&[], 5), [] as [usize; 0]);
    }
}
