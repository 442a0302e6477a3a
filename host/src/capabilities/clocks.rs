//! `wasi:clocks/wall-clock` and `wasi:random/random`, straight from the system.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Capabilities, Seconds};
use crate::parts::bindings::custodian::wasi::random::random::Host as Random;
use crate::parts::bindings::identity::wasi::clocks::wall_clock::{Datetime, Host as WallClock};

/// Most random bytes given at once; components ask for nonces.
const MAX_RANDOM_BYTES: u64 = 4096;

/// The clock that tokens are judged by. Before 1970 it reads as 1970: every token is then not yet valid, which is the safe side.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The same in whole seconds.
pub(crate) fn now() -> Seconds {
    since_1970().as_secs()
}

impl WallClock for Capabilities {
    fn now(&mut self) -> Datetime {
        let since = since_1970();
        self.first_look.get_or_insert(since.as_secs());
        Datetime { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() }
    }

    fn resolution(&mut self) -> Datetime {
        Datetime { seconds: 0, nanoseconds: 1 }
    }
}

impl Random for Capabilities {
    fn get_random_bytes(&mut self, len: u64) -> Vec<u8> {
        let len = usize::try_from(len.min(MAX_RANDOM_BYTES)).expect("4096 fits");
        let mut bytes = vec![0; len];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
        bytes
    }

    fn get_random_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
        u64::from_ne_bytes(bytes)
    }
}
