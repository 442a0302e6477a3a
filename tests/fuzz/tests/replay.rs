//! The seeds and the corpus again, whole and injured, in the time of an ordinary test.

use std::path::Path;

use valet_fuzz::{TARGETS, seeds, target};
use valet_minting::dice::Dice;

/// Injuries of each input. A fixed seed: a failure comes again.
const INJURIES: usize = 300;

#[test]
fn seeds_corpus_and_their_injuries() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut dice = Dice::new(5);
    for target in TARGETS {
        let mut inputs = seeds(target.name);
        assert!(!inputs.is_empty(), "{}", target.name);
        if let Ok(folder) = std::fs::read_dir(corpus.join(target.name)) {
            inputs.extend(folder.map(|file| std::fs::read(file.unwrap().path()).unwrap()));
        }
        for input in inputs {
            (target.run)(&input);
            let mut injured = input.clone();
            for _ in 0..INJURIES {
                injured = if injured.is_empty() || dice.below(8) == 0 { input.clone() } else { injured };
                if !injured.is_empty() {
                    injured = dice.injure(&injured);
                    (target.run)(&injured);
                }
            }
        }
    }
}

#[test]
fn every_folder_of_the_corpus_is_a_targets() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for folder in std::fs::read_dir(corpus).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || target(&name).is_some(), "{name}");
    }
}
