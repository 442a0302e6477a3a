//! libFuzzer over one target of `valet-fuzz`, named by the variable `VALET_FUZZ_TARGET`.
//!
//! With `VALET_FUZZ_LIST` set it prints the targets with their longest inputs, and ends.
//! With `VALET_FUZZ_SEEDS` set to a folder it writes the target's seeds there before anything else.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use valet_fuzz::{TARGETS, Target, seeds, target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("VALET_FUZZ_TARGET").expect("VALET_FUZZ_TARGET names a target");
    target(&name).unwrap_or_else(|| panic!("there is no target {name}"))
});

fuzz_target!(
    init: {
        if std::env::var_os("VALET_FUZZ_LIST").is_some() {
            for Target { name, max_len, .. } in TARGETS {
                println!("{name} {max_len}");
            }
            std::process::exit(0);
        }
        if let Ok(folder) = std::env::var("VALET_FUZZ_SEEDS") {
            for (number, seed) in seeds(TARGET.name).iter().enumerate() {
                let path = std::path::Path::new(&folder).join(format!("seed-{number}"));
                std::fs::write(&path, seed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
    },
    |data: &[u8]| (TARGET.run)(data)
);
