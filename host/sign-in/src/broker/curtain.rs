//! Whether the broker may still show something of ours. Its window belongs to another process and stays when ours ends, so whoever ends waits until it has
//! been taken away.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::limits::BROKER_FAREWELL;

/// Steps of the broker that are under way, or are being taken back.
#[derive(Clone, Default)]
pub(crate) struct Curtain(watch::Sender<usize>);

/// One of them, until it is dropped.
pub(crate) struct Raised(watch::Sender<usize>);

impl Curtain {
    /// A step begins.
    pub(crate) fn raise(&self) -> Raised {
        self.0.send_modify(|steps| *steps += 1);
        Raised(self.0.clone())
    }

    /// Waits until there is none; whether that was so within [`BROKER_FAREWELL`].
    pub(crate) async fn falls(&self) -> bool {
        let mut steps = self.0.subscribe();
        timeout(BROKER_FAREWELL, steps.wait_for(|steps| *steps == 0)).await.is_ok()
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.send_modify(|steps| *steps -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_falls_with_the_last_step_and_is_not_waited_for_without_end() {
        let curtain = Curtain::default();
        assert!(curtain.falls().await, "nothing has begun");
        let (first, second) = (curtain.raise(), curtain.raise());
        drop(first);
        let begun = tokio::time::Instant::now();
        assert!(!curtain.falls().await, "one is left");
        let waited = begun.elapsed();
        assert!(waited >= BROKER_FAREWELL && waited < BROKER_FAREWELL * 2, "{waited:?}");
        let fall = async {
            tokio::task::yield_now().await;
            drop(second);
        };
        let (fallen, ()) = tokio::join!(curtain.falls(), fall);
        assert!(fallen);
        assert_eq!(begun.elapsed(), waited, "at once");
    }
}
