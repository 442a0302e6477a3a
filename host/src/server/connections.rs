//! Who is connected, and which connections have to go: those that do nothing for too long, and the longest idle where there is no place for another.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::limits;

/// One in so many connections is closed where there is no place, so that they are not searched through for each newcomer.
const SHED_SHARE: usize = 64;

/// How long a newcomer waits for a connection to be gone that was cut for it.
const SHED_TIME: Duration = Duration::from_secs(1);

/// All connections.
pub(super) struct Connections {
    open: Mutex<BTreeMap<u64, Arc<Connection>>>,
    places: Arc<Semaphore>,
    most: usize,
}

impl Connections {
    /// Room for `most` connections.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), places: Arc::new(Semaphore::new(most)), most })
    }

    /// A place for one more, if need be that of a connection without a request. None if all have one.
    pub(super) async fn admit(self: &Arc<Self>) -> Option<Admitted> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                self.shed();
                let place = Arc::clone(&self.places).acquire_owned();
                tokio::time::timeout(SHED_TIME, place).await.ok()?.ok()?
            }
        };
        let (order, orders) = watch::channel(Order::Serve);
        let connection = Arc::new(Connection { order, state: Mutex::new(State::new(Instant::now())) });
        let mut open = locked(&self.open);
        let number = open.last_key_value().map_or(0, |(last, _)| last + 1);
        open.insert(number, Arc::clone(&connection));
        drop(open);
        Some(Admitted { connections: Arc::clone(self), number, connection, orders, _place: place })
    }

    /// Cuts the connections that have been idle the longest.
    pub(super) fn shed(&self) {
        let open = locked(&self.open);
        let idle = |connection: &Arc<Connection>| locked(&connection.state).idle_since();
        let mut idle: Vec<_> = open.values().filter_map(|it| Some((idle(it)?, it))).collect();
        idle.sort_by_key(|(since, _)| *since);
        let share = self.most.div_ceil(SHED_SHARE);
        tracing::debug!(idle = idle.len(), "no place for another connection; the longest idle are closed");
        for (_, connection) in idle.into_iter().take(share) {
            connection.give(Order::Cut);
        }
    }

    /// Closes what has done nothing for too long.
    pub(super) fn patrol(&self) {
        let now = Instant::now();
        for connection in locked(&self.open).values() {
            let order = locked(&connection.state).verdict(now);
            connection.give(order);
        }
    }

    /// Lets every connection end once its open requests are answered.
    pub(super) fn close_all(&self) {
        locked(&self.open).values().for_each(|connection| connection.give(Order::Close));
    }

    /// Ends every connection.
    pub(super) fn cut_all(&self) {
        locked(&self.open).values().for_each(|connection| connection.give(Order::Cut));
    }

    /// Done when there is no connection.
    pub(super) async fn gone(&self) {
        let all = u32::try_from(self.most).expect("there are not that many descriptors");
        let _ = self.places.acquire_many(all).await;
    }
}

/// What a connection has to do, each more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    Serve,
    /// Answer what is open, then end.
    Close,
    /// End now.
    Cut,
}

/// A connection that has its place. Dropping it gives the place back.
pub(super) struct Admitted {
    connections: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
    orders: watch::Receiver<Order>,
    _place: OwnedSemaphorePermit,
}

impl Admitted {
    /// The next order that is not to serve.
    pub(super) async fn order(&mut self) -> Order {
        // The sender is in `connection`, so this cannot fail.
        let _ = self.orders.changed().await;
        *self.orders.borrow_and_update()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        locked(&self.connections.open).remove(&self.number);
    }
}

/// What is known of one connection.
pub(super) struct Connection {
    order: watch::Sender<Order>,
    state: Mutex<State>,
}

impl Connection {
    fn give(&self, order: Order) {
        self.order.send_if_modified(|present| {
            let more = order > *present;
            *present = order.max(*present);
            more
        });
    }

    /// The time for the first request begins: the handshake is done.
    pub(super) fn ready(&self) {
        locked(&self.state).idle_since = Instant::now();
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        Open { number: locked(&self.state).begin(), connection: Arc::clone(self) }
    }
}

/// A request that is open until the last of its answer has been taken, which is when this is dropped.
pub(super) struct Open {
    connection: Arc<Connection>,
    number: u64,
}

impl Open {
    /// The client has a chunk of the answer to take.
    pub(super) fn given(&self) {
        locked(&self.connection.state).waiting(self.number, Some(Instant::now()));
    }

    /// The client has taken what there was.
    pub(super) fn taken(&self) {
        locked(&self.connection.state).waiting(self.number, None);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        locked(&self.connection.state).end(self.number, Instant::now());
    }
}

struct State {
    /// Open requests, and since when the client of each has had something to take.
    requests: HashMap<u64, Option<Instant>>,
    /// How many there have been.
    served: u64,
    /// Since when none is open.
    idle_since: Instant,
}

impl State {
    fn new(now: Instant) -> Self {
        Self { requests: HashMap::new(), served: 0, idle_since: now }
    }

    fn begin(&mut self) -> u64 {
        self.served += 1;
        self.requests.insert(self.served, None);
        self.served
    }

    fn waiting(&mut self, number: u64, since: Option<Instant>) {
        self.requests.insert(number, since);
    }

    fn end(&mut self, number: u64, now: Instant) {
        self.requests.remove(&number);
        self.idle_since = now;
    }

    /// Since when there is no request; none while there is one.
    fn idle_since(&self) -> Option<Instant> {
        self.requests.is_empty().then_some(self.idle_since)
    }

    fn verdict(&self, now: Instant) -> Order {
        let most = if self.served == 0 { limits::REQUEST_HEAD_TIME } else { limits::IDLE_TIME };
        let stuck =
            |since: &Option<Instant>| since.is_some_and(|since| now - since >= limits::ANSWER_CHUNK_TIME);
        match self.idle_since() {
            Some(since) if now - since >= most + limits::CLOSE_TIME => Order::Cut,
            Some(since) if now - since >= most => Order::Close,
            None if self.requests.values().any(stuck) => Order::Cut,
            _ => Order::Serve,
        }
    }
}

/// No code under these locks can leave the data half-changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_may_be_idle_for_so_long() {
        let start = Instant::now();
        let after = |time: Duration| start + time;
        let mut state = State::new(start);
        let second = Duration::from_secs(1);
        assert_eq!(state.verdict(after(limits::REQUEST_HEAD_TIME - second)), Order::Serve);
        assert_eq!(state.verdict(after(limits::REQUEST_HEAD_TIME)), Order::Close, "no request ever came");
        assert_eq!(state.verdict(after(limits::REQUEST_HEAD_TIME + limits::CLOSE_TIME)), Order::Cut);
        let number = state.begin();
        assert_eq!(
            state.verdict(after(limits::REQUEST_TIME * 10)),
            Order::Serve,
            "its limits are the request's"
        );
        state.end(number, after(second));
        assert_eq!(state.verdict(after(limits::IDLE_TIME)), Order::Serve);
        assert_eq!(state.verdict(after(limits::IDLE_TIME + second)), Order::Close);
        assert_eq!(state.verdict(after(limits::IDLE_TIME + limits::CLOSE_TIME + second)), Order::Cut);
    }

    #[test]
    fn a_client_that_takes_nothing_is_cut() {
        let start = Instant::now();
        let mut state = State::new(start);
        let (quick, slow) = (state.begin(), state.begin());
        state.waiting(quick, Some(start));
        state.waiting(quick, None);
        state.waiting(slow, Some(start));
        assert_eq!(state.verdict(start + limits::ANSWER_CHUNK_TIME - Duration::from_secs(1)), Order::Serve);
        assert_eq!(state.verdict(start + limits::ANSWER_CHUNK_TIME), Order::Cut);
        state.waiting(slow, Some(start + limits::ANSWER_CHUNK_TIME));
        assert_eq!(state.verdict(start + limits::ANSWER_CHUNK_TIME), Order::Serve);
    }

    #[tokio::test]
    async fn the_longest_idle_makes_room() {
        let connections = Connections::new(2);
        let mut first = connections.admit().await.unwrap();
        let second = connections.admit().await.unwrap();
        let open = second.connection.begin();
        let leaving = async {
            assert_eq!(first.order().await, Order::Cut);
            drop(first);
        };
        let (third, ()) = tokio::join!(connections.admit(), leaving);
        let mut third = third.expect("the first made room");
        let open_too = third.connection.begin();
        assert!(connections.admit().await.is_none(), "nobody is idle");
        drop((open, open_too));
        connections.close_all();
        assert_eq!(third.order().await, Order::Close);
        drop((second, third));
        connections.gone().await;
    }
}
