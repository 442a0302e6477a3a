//! The wasmtime engine, tuned for one fresh instance a request. `docs/performance.md` has the figures behind the choices.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits;

/// How much of a memory stays mapped between two requests. With `pagemap_scan` only pages that were written are reset, so keeping the
/// first pages avoids faults; more than this was slower.
const KEEP_RESIDENT_BYTES: usize = 64 * 1024;

/// The same for tables, which are small.
const KEEP_RESIDENT_TABLE_BYTES: usize = 4 * 1024;

/// An engine that runs artifacts for at most `concurrent_requests` requests at the same time.
///
/// # Errors
/// When the machine cannot reserve the address space for the pool.
pub fn engine(concurrent_requests: u32) -> wasmtime::Result<Engine> {
    // Identity instances that wait for the next request take their places as well.
    let requests = concurrent_requests.saturating_add(limits::IDLE_IDENTITIES);
    let each = |count: u32| requests.saturating_mul(count);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(each(limits::ARTIFACTS_PER_REQUEST))
        .total_stacks(each(limits::ARTIFACTS_PER_REQUEST))
        .total_core_instances(each(limits::CORE_INSTANCES_PER_REQUEST))
        .total_memories(each(limits::MEMORIES_PER_REQUEST))
        .total_tables(each(limits::CORE_INSTANCES_PER_REQUEST))
        .max_core_instances_per_component(limits::CORE_INSTANCES_PER_REQUEST)
        .max_memories_per_component(limits::MEMORIES_PER_REQUEST)
        .max_tables_per_component(limits::CORE_INSTANCES_PER_REQUEST)
        .max_memory_size(limits::COMPONENT_MEMORY_BYTES)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_TABLE_BYTES)
        // Linux 6.7 and later; elsewhere the pool falls back to resetting memory whole.
        .pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// An engine that compiles artifacts ahead of time for [`engine`]. It needs no pool.
///
/// # Errors
/// When this build of wasmtime cannot compile.
pub fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// What changes the compiled code, and therefore has to be the same when compiling and when running.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Our components call each other and the host synchronously; the machinery for the other way costs 0.3 µs a call.
        .concurrency_support(false)
        // Reservations and guards stay at their defaults: with them the code needs no bounds checks, without them it is a quarter slower.
        .epoch_interruption(true);
    config
}
