//! Makes RSA keys on threads of its own, one factory for the whole process.
//!
//! A key takes a tenth of a second, more or less by chance, so nobody waits for a certain one: the first key that is
//! ready goes to the most urgent place that still lacks one. A place whose emulator is gone is forgotten. No key is
//! ever given out twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{KeyError, SigningKey, Slot};

/// Which place is served first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Urgency {
    /// Tokens wait for it.
    Signer = 0,
    /// Only the key document waits for it.
    Published = 1,
}

static FACTORY: Mutex<Factory> =
    Mutex::new(Factory { orders: [VecDeque::new(), VecDeque::new()], busy: 0, spare: Vec::new() });

struct Factory {
    orders: [VecDeque<Weak<Slot>>; 2],
    /// How many threads are making a key.
    busy: usize,
    /// Keys whose orders were withdrawn meanwhile; never more than threads.
    spare: Vec<SigningKey>,
}

/// Orders a key for `slot`.
pub(super) fn order(slot: &Arc<Slot>, urgency: Urgency) {
    let mut factory = lock();
    if let Some(key) = factory.spare.pop() {
        slot.fill(Ok(key));
        return;
    }
    factory.orders[urgency as usize].push_back(Arc::downgrade(slot));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if factory.busy >= threads {
        return;
    }
    factory.busy += 1;
    drop(factory);
    let started = std::thread::Builder::new().name("rsa keys".into()).spawn(work);
    if started.is_err() {
        // No threads to be had: then the caller does it.
        work();
    }
}

/// A key for somebody who waits for it right now.
pub(super) fn one() -> Result<SigningKey, KeyError> {
    let spare = lock().spare.pop();
    spare.map_or_else(SigningKey::generate, Ok)
}

/// Makes keys as long as there are more orders than hands.
fn work() {
    loop {
        let made = SigningKey::generate();
        let mut factory = lock();
        match (factory.next(), made) {
            (Some(slot), made) => slot.fill(made),
            (None, Ok(key)) => factory.spare.push(key),
            (None, Err(_)) => {}
        }
        if factory.waiting() < factory.busy {
            factory.busy -= 1;
            return;
        }
    }
}

impl Factory {
    fn next(&mut self) -> Option<Arc<Slot>> {
        self.orders
            .iter_mut()
            .find_map(|queue| std::iter::from_fn(|| queue.pop_front()).find_map(|slot| slot.upgrade()))
    }

    fn waiting(&mut self) -> usize {
        self.orders.iter_mut().for_each(|queue| queue.retain(|slot| slot.strong_count() > 0));
        self.orders.iter().map(VecDeque::len).sum()
    }
}

fn lock() -> MutexGuard<'static, Factory> {
    // Every change is complete before anything that could panic.
    FACTORY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyIssuer;

    #[test]
    fn every_order_is_filled_with_a_key_of_its_own_and_withdrawn_ones_block_nobody() {
        let slots: Vec<_> = (0..3).map(|_| Slot::empty(KeyIssuer::Work)).collect();
        for slot in &slots {
            order(&Slot::empty(KeyIssuer::Work), Urgency::Signer);
            order(slot, Urgency::Published);
        }
        let mut kids: Vec<_> = slots.iter().map(|s| s.key().kid().to_owned()).collect();
        kids.push(one().unwrap().kid().to_owned());
        kids.sort();
        kids.dedup();
        assert_eq!(kids.len(), 4);
    }
}
