//! The store in memory, which is bounded.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod common;

use valet_store::limits::{MEMORY_ENTRY_BYTES, MEMORY_RANGE_BYTES};
use valet_store::{Range, Store, StoreError};

use common::{Hands, LONG};

static VALUE: [u8; 1 << 20] = [7; 1 << 20];

#[tokio::test]
async fn a_full_range_refuses_what_is_new_and_starves_no_other() {
    let hands = Hands::default();
    let store = Store::memory(hands.clone());
    let grants = store.range(Range::Grants);
    let fit = MEMORY_RANGE_BYTES / (VALUE.len() + MEMORY_ENTRY_BYTES + 2);
    for number in 0..fit {
        grants.set(&format!("{number:02}"), &VALUE, LONG).await.unwrap();
    }
    assert!(matches!(grants.set("xx", &VALUE, LONG).await, Err(StoreError::Full { .. })));
    assert!(matches!(grants.swap("xx", None, &VALUE, LONG).await, Err(StoreError::Full { .. })));
    assert!(!grants.exists("xx").await.unwrap());
    grants.set("00", &VALUE, LONG).await.unwrap();
    store.range(Range::Sessions).set("xx", &VALUE, LONG).await.unwrap();

    grants.delete("00").await.unwrap();
    grants.set("xx", &VALUE, LONG).await.unwrap();
    assert_eq!(grants.count("", 100).await.unwrap(), fit);

    hands.forward(LONG.unwrap());
    for number in 0..fit {
        grants.set(&format!("again-{number:02}"), &VALUE[9..], LONG).await.unwrap();
    }
    assert_eq!(grants.count("", 100).await.unwrap(), fit);
}

#[tokio::test]
async fn many_small_entries_that_are_over_make_room_for_a_large_one() {
    let hands = Hands::default();
    let range = Store::memory(hands.clone()).range(Range::Tokens);
    let mut kept = 0;
    while range.set(&format!("{kept:06}"), &[7; 1000], LONG).await.is_ok() {
        kept += 1;
    }
    assert!(kept > 20_000, "{kept}");
    hands.forward(LONG.unwrap());
    range.set("large", &VALUE, LONG).await.unwrap();
    assert_eq!(range.names("", "", 9).await.unwrap(), ["large"]);
}
