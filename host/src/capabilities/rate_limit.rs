//! `rate-limit`: how often a caller may call, and how often the authorization server may refuse one; counted in memory by this process alone.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Capabilities;
use crate::limits;
use crate::parts::bindings::{authorization, request};

const MINUTE: Duration = Duration::from_secs(60);

impl request::valet::capability::rate_limit::Host for Capabilities {
    fn take(&mut self, caller: String) -> Result<(), u32> {
        self.lent.calls.take(caller, Instant::now())
    }

    fn give_back(&mut self, caller: String) {
        self.lent.calls.give_back(&caller, Instant::now());
    }
}

impl authorization::valet::capability::rate_limit::Host for Capabilities {
    fn take(&mut self, caller: String) -> Result<(), u32> {
        self.lent.refusals.take(caller, Instant::now())
    }

    fn give_back(&mut self, caller: String) {
        self.lent.refusals.give_back(&caller, Instant::now());
    }
}

/// The calls that callers have left: a bucket each, which fills evenly and holds a minute's worth.
///
/// A bucket is kept as the time at which it is full (the generic cell rate algorithm, ITU-T I.371), so one that is full need not be kept. The libraries for this
/// bound the rate and not the number of callers, which is the harder half here.
pub struct Calls {
    full_at: Mutex<HashMap<String, Instant>>,
    /// How long one call takes to come back.
    each: Duration,
    most_callers: usize,
}

impl Calls {
    /// Lets each caller call `per_minute` times a minute.
    #[must_use]
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self::counting(per_minute, limits::COUNTED_CALLERS)
    }

    fn counting(per_minute: NonZeroU32, most_callers: usize) -> Self {
        Self { full_at: Mutex::default(), each: MINUTE / per_minute.get(), most_callers }
    }

    /// Takes one of `caller`'s calls, or says in how many seconds there is one again.
    fn take(&self, caller: String, now: Instant) -> Result<(), u32> {
        // No code under the lock can leave the map half-changed.
        let mut callers = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= self.most_callers && !callers.contains_key(&caller) {
            callers.retain(|_, full_at| *full_at > now);
            if callers.len() >= self.most_callers {
                tracing::warn!(
                    callers = callers.len(),
                    "more callers at once than are counted; one has to wait"
                );
                return Err(1);
            }
        }
        let full_at = callers.entry(caller).or_insert(now);
        let after = (*full_at).max(now) + self.each;
        let wait = after.saturating_duration_since(now + MINUTE);
        if !wait.is_zero() {
            return Err(whole_seconds(wait));
        }
        *full_at = after;
        Ok(())
    }
}

impl Calls {
    /// Gives back one of `caller`'s calls that was taken.
    fn give_back(&self, caller: &str, now: Instant) {
        let mut callers = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = callers.get_mut(caller) {
            *full_at = full_at.checked_sub(self.each).unwrap_or(now).max(now);
        }
    }
}

/// Rounded up: a caller who comes back after so long is let through.
fn whole_seconds(time: Duration) -> u32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls with a clock that is moved by hand.
    struct Bench(Calls, Instant);

    impl Bench {
        fn new(per_minute: u32, most_callers: usize) -> Self {
            Self(Calls::counting(NonZeroU32::new(per_minute).unwrap(), most_callers), Instant::now())
        }

        fn take(&self, caller: &str) -> Result<(), u32> {
            self.0.take(caller.to_owned(), self.1)
        }

        fn callers(&self) -> usize {
            self.0.full_at.lock().unwrap().len()
        }
    }

    #[test]
    fn a_minute_s_worth_is_there_at_once_and_comes_back_evenly() {
        let mut bench = Bench::new(4, 8);
        assert_eq!([(); 5].map(|()| bench.take("t a")), [Ok(()), Ok(()), Ok(()), Ok(()), Err(15)]);
        bench.1 += Duration::from_millis(14_001);
        assert_eq!(bench.take("t a"), Err(1));
        bench.1 += Duration::from_millis(999);
        assert_eq!([(); 2].map(|()| bench.take("t a")), [Ok(()), Err(15)]);
        bench.1 += Duration::from_secs(3600);
        assert_eq!(
            [(); 5].map(|()| bench.take("t a")),
            [Ok(()), Ok(()), Ok(()), Ok(()), Err(15)],
            "an hour of quiet is worth no more than a minute"
        );
    }

    #[test]
    fn refused_calls_cost_nothing() {
        let mut bench = Bench::new(1, 8);
        assert_eq!(bench.take("t a"), Ok(()));
        for _ in 0..100 {
            assert_eq!(bench.take("t a"), Err(60));
        }
        bench.1 += Duration::from_secs(60);
        assert_eq!(bench.take("t a"), Ok(()));
    }

    #[test]
    fn what_is_given_back_was_never_taken() {
        let mut bench = Bench::new(2, 8);
        for _ in 0..100 {
            assert_eq!(bench.take("t a"), Ok(()));
            bench.0.give_back("t a", bench.1);
        }
        assert_eq!([(); 3].map(|()| bench.take("t a")), [Ok(()), Ok(()), Err(30)]);
        // Nobody gets more than a minute's worth by it.
        bench.0.give_back("t b", bench.1);
        bench.1 += Duration::from_secs(3600);
        bench.0.give_back("t a", bench.1);
        assert_eq!([(); 3].map(|()| bench.take("t a")), [Ok(()), Ok(()), Err(30)]);
    }

    #[test]
    fn the_highest_rate_is_one() {
        let bench = Bench::new(u32::MAX, 8);
        for _ in 0..10_000 {
            assert_eq!(bench.take("t a"), Ok(()));
        }
    }

    #[test]
    fn callers_do_not_share() {
        let bench = Bench::new(1, 8);
        assert_eq!(
            ["t a", "t b", "u a", "t a"].map(|caller| bench.take(caller)),
            [Ok(()), Ok(()), Ok(()), Err(60)]
        );
    }

    #[test]
    fn memory_is_bounded_and_quiet_callers_are_forgotten_first() {
        let mut bench = Bench::new(2, 3);
        assert_eq!(["a", "b", "c"].map(|caller| bench.take(caller)), [Ok(()); 3]);
        assert_eq!(bench.take("d"), Err(1), "all three are busy");
        assert_eq!(bench.take("a"), Ok(()), "who is counted stays so");
        assert_eq!(bench.callers(), 3);
        bench.1 += Duration::from_secs(31);
        assert_eq!(bench.take("d"), Ok(()));
        assert_eq!(bench.callers(), 2, "a had called twice");
        assert_eq!(bench.take("a"), Ok(()));
    }
}
