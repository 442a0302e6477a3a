//! Schemas and instances that nobody would write: nothing panics, and nothing takes long.

use super::*;

/// Every keyword somewhere.
const SCHEMA: &str = r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://a/b","$anchor":"x","$defs":{"d":{"$id":"c",
"$dynamicAnchor":"y","type":["object","null"],"properties":{"e":{"$dynamicRef":"#y"}}}},"type":"object","properties":{"s":{"minLength":1,"maxLength":9,
"pattern":"^[a-z]{1,3}(b|c)*$","enum":["ab",1]},"n":{"multipleOf":0.5,"minimum":-1,"exclusiveMaximum":1e3},"l":{"prefixItems":[{"const":1}],"items":{"$ref":"#/properties/n"},
"contains":{"type":"integer"},"minContains":1,"maxContains":3,"uniqueItems":true,"maxItems":5}},"patternProperties":{"^x-":{"$ref":"c"}},"additionalProperties":false,
"propertyNames":{"maxLength":5},"required":["s"],"dependentRequired":{"n":["l"]},"dependentSchemas":{"l":{"minProperties":2}},"allOf":[{"$ref":"#x2"},true],
"anyOf":[{"required":["n"]},{"required":["s"]}],"oneOf":[{"required":["l"]},{"not":{"required":["l"]}}],"if":{"required":["n"]},"then":{"maxProperties":4},
"else":{},"not":{"required":["q"]},"unevaluatedProperties":false,"$comment":{"$anchor":"x2"},"x":{"$anchor":"x2"}}"##;

const INSTANCE: &str = r#"{"s":"ab","n":1.5,"l":[1,2.5,-0.5],"x-a":{"e":{"e":null}}}"#;

/// A linear congruential generator: the same texts each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// `text` with a few pieces of it moved, doubled, left out or replaced.
    fn mutate(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let length = self.below(12).min(bytes.len() - at);
            match self.below(4) {
                0 => drop(bytes.drain(at..at + length)),
                1 => bytes.extend_from_within(at..at + length),
                2 => bytes[at] = br#"{}[],:"0123456789-.eE\/#$^*+?|()nx "#[self.below(35)],
                _ => {
                    let from = self.below(bytes.len() - length);
                    bytes.copy_within(from..from + length, at);
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Swaps whole values, so that the text stays JSON.
fn swap_values(dice: &mut Dice, text: &str) -> String {
    let mut root: serde_json::Value = serde_json::from_str(text).unwrap();
    let values = [
        "1",
        "-1",
        "null",
        "true",
        "\"#\"",
        "\"a\"",
        "[]",
        "{}",
        "[1]",
        "[{}]",
        "{\"a\":{}}",
        "\"#/$defs/d\"",
        "1e300",
        "\"(\"",
    ];
    let pointers = pointers(&root);
    for _ in 0..=dice.below(3) {
        let pointer = &pointers[dice.below(pointers.len())];
        if let Some(place) = root.pointer_mut(pointer) {
            *place = serde_json::from_str(values[dice.below(values.len())]).unwrap();
        }
    }
    root.to_string()
}

fn pointers(value: &serde_json::Value) -> Vec<String> {
    let below = |token: String, value| pointers(value).into_iter().map(move |rest| format!("/{token}{rest}"));
    let mut all = vec![String::new()];
    match value {
        serde_json::Value::Object(members) => {
            let token = |name: &str| name.replace('~', "~0").replace('/', "~1");
            all.extend(members.iter().flat_map(|(name, value)| below(token(name), value)));
        }
        serde_json::Value::Array(items) => {
            all.extend(items.iter().enumerate().flat_map(|(index, value)| below(index.to_string(), value)));
        }
        _ => {}
    }
    all
}

#[test]
fn nothing_panics() {
    let schema = SCHEMA.replace("#x2", "#/$comment");
    valid(&schema, INSTANCE);
    let mut dice = Dice(1);
    let (mut usable, mut judged_valid) = (0, 0);
    for round in 0..12_000 {
        let schema = if round % 2 == 0 { dice.mutate(&schema) } else { swap_values(&mut dice, &schema) };
        let instance = if round % 4 < 2 { dice.mutate(INSTANCE) } else { swap_values(&mut dice, INSTANCE) };
        let Ok(document) = Json::parse(&schema) else { continue };
        let instance = Json::parse(&instance).unwrap_or(Json::Null);
        match Schema::check(&document) {
            Ok(schema) => {
                usable += 1;
                let result = schema.validate(&instance);
                judged_valid += usize::from(result.is_ok());
                if let Err(violations) = result {
                    assert!(!violations.to_string().is_empty());
                }
            }
            Err(fault) => assert!(!fault.to_string().is_empty()),
        }
    }
    // That the mutations reach everything, or the test would say nothing.
    assert!(usable > 1_000 && judged_valid > 100, "{usable} {judged_valid}");
}
