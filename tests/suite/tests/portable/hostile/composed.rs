//! What a layout makes of a hostile pack that nobody checked: the second line of defence, behind `packs`.

use wac_graph::types::Package;

use super::guests::{compose, guest};

const LAYOUTS: [&str; 3] = ["native/request", "single", "split/server"];

/// What a layout has to leave to its host, or to refuse, for a pack to be stopped: then no host that we know links it.
const GUESTS: [(&str, &str, &str); 3] = [
    ("thief.wat", "thief", "valet:identity/assertion@0.1.0"),
    ("usurper.wat", "impostor", "valet:identity/authenticator@0.1.0"),
    ("usurper.wat", "usurper", "valet:identity/authenticator@0.1.0"),
];

/// The names that a component imports.
fn imports(component: Vec<u8>) -> Vec<String> {
    let mut types = wac_graph::types::Types::default();
    let package = Package::from_bytes("hostile:composed", None, component, &mut types).unwrap();
    types[package.ty()].imports.keys().cloned().collect()
}

#[test]
fn a_layout_stops_hostile_packs_that_nobody_checked() {
    let mut gaps = Vec::new();
    for layout in LAYOUTS {
        for (file, world, left_open) in GUESTS {
            // What does not compose is stopped as well: the types of two principals never unify.
            if let Ok(composed) = compose(layout, &guest(file, world))
                && !imports(composed).iter().any(|name| name == left_open)
            {
                gaps.push((layout, world));
            }
        }
    }
    assert!(gaps.is_empty(), "these layouts give a pack more than packs may have: {gaps:?}");
}

#[test]
fn a_good_pack_composes() {
    // The guest that misbehaves calls nothing downstream, which the other two layouts ask of a pack.
    let composed = compose("native/request", &guest("misbehaving.wat", "misbehaving")).unwrap();
    assert!(imports(composed).iter().any(|name| name == "valet:identity/authenticator@0.1.0"));
}
