//! One flight for each question: whoever asks what is being asked already waits for that answer, also where it is a refusal. So a hundred
//! calls open one browser, and a person who declines declines once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

/// What those who wait for a flight share. While one of them holds it the flight goes on.
type Ticket<V> = watch::Receiver<Option<V>>;
type Table<K, V> = Arc<Mutex<HashMap<K, Weak<Ticket<V>>>>>;

/// The flights in the air, by what they ask.
pub(crate) struct Flights<K, V>(Table<K, V>);

impl<K: Eq + Hash + Clone + Send + 'static, V: Clone + Send + Sync + 'static> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The answer to `key`, from the flight in the air or from one that `start` makes. None if it broke off.
    ///
    /// The flight is a task of its own: it goes on while anybody waits for it, and ends when nobody does.
    pub(crate) async fn join<F>(&self, key: K, start: impl FnOnce() -> F) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let ticket = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match flights.get(&key).and_then(Weak::upgrade) {
                Some(ticket) => ticket,
                None => {
                    let (tell, answer) = watch::channel(None);
                    let ticket = Arc::new(answer);
                    let flight = Arc::downgrade(&ticket);
                    flights.insert(key.clone(), flight.clone());
                    let landing = Landing { table: self.0.clone(), key, flight };
                    tokio::spawn(fly(landing, tell, start()));
                    ticket
                }
            }
        };
        let mut answer = Ticket::clone(&ticket);
        // Ends with an error where the sender is gone without an answer.
        let answer = answer.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }
}

async fn fly<K: Eq + Hash, V>(
    landing: Landing<K, V>,
    tell: watch::Sender<Option<V>>,
    work: impl Future<Output = V>,
) {
    tokio::select! {
        answer = work => {
            // Whoever asks from here on asks anew.
            drop(landing);
            let _ = tell.send(Some(answer));
        }
        () = tell.closed() => {}
    }
}

/// Takes a flight out of the table, however it ends; not one that has taken its place.
struct Landing<K: Eq + Hash, V> {
    table: Table<K, V>,
    key: K,
    flight: Weak<Ticket<V>>,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let mut flights = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(&self.key).is_some_and(|flight| flight.ptr_eq(&self.flight)) {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn many_who_ask_the_same_share_one_answer() {
        let flights = Flights::<&str, u32>::new();
        let (release, held) = oneshot::channel::<u32>();
        let starts = AtomicU32::new(0);
        let mut held = Some(held);
        let mut ask = |key| {
            let held = held.take();
            flights.join(key, || {
                starts.fetch_add(1, Ordering::Relaxed);
                async move { held.expect("only the first starts a flight").await.unwrap() }
            })
        };
        let (first, second) = (ask("a"), ask("a"));
        let answers = async {
            tokio::task::yield_now().await;
            release.send(7).unwrap();
        };
        assert_eq!(tokio::join!(first, second, answers), (Some(7), Some(7), ()));
        assert_eq!(starts.load(Ordering::Relaxed), 1);
        assert_eq!(flights.join("a", || async { 8 }).await, Some(8), "a later question is asked anew");
    }

    #[tokio::test]
    async fn a_flight_ends_when_nobody_waits_for_it() {
        struct Dropped(Option<oneshot::Sender<()>>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                let _ = self.0.take().map(|tell| tell.send(()));
            }
        }
        let flights = Flights::<&str, u32>::new();
        let (tell, dropped) = oneshot::channel();
        let guard = Dropped(Some(tell));
        let asked = flights.join("a", || async move {
            let _guard = guard;
            std::future::pending().await
        });
        tokio::time::timeout(std::time::Duration::ZERO, asked).await.unwrap_err();
        dropped.await.unwrap();
        assert_eq!(flights.join("a", || async { 9 }).await, Some(9));
    }
}
