//! What a store may use: memory, and time to compute.

use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};

use crate::limits;

/// The limits of one store and what has been used of them.
pub(crate) struct Budget {
    memory: StoreLimits,
    /// Epoch ticks spent computing in the present call.
    ticks: u32,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            memory: StoreLimitsBuilder::new().memory_size(limits::COMPONENT_MEMORY_BYTES).build(),
            ticks: 0,
        }
    }

    /// Starts the time of the next call, in a store that serves several.
    pub(crate) fn renew(&mut self) {
        self.ticks = 0;
    }
}

/// Data of a store that has a budget.
pub(crate) trait Budgeted: Send + 'static {
    fn budget(&mut self) -> &mut Budget;
}

/// A store for `data` that keeps to its budget.
pub(crate) fn store<T: Budgeted>(engine: &Engine, data: T) -> Store<T> {
    let mut store = Store::new(engine, data);
    store.limiter(|data| &mut data.budget().memory);
    store.set_epoch_deadline(1);
    // Each tick while computing lets other requests run, and counts. Time spent waiting for Graph is one tick, however long.
    store.epoch_deadline_callback(|mut context| {
        let budget = context.data_mut().budget();
        budget.ticks += 1;
        let most = limits::REQUEST_COMPUTE_TIME.as_millis() / limits::EPOCH_TICK.as_millis();
        Ok(if u128::from(budget.ticks) > most { UpdateDeadline::Interrupt } else { UpdateDeadline::Yield(1) })
    });
    store
}
