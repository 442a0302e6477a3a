//! What a policy has rules about: tools, resources, prompts. As values for texts, and as types for permits.

use core::fmt;

/// A kind of thing that callers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A tool, by its name.
    Tool,
    /// A resource or a resource template, by its `name`. Not by its URI, which a template leaves open.
    Resource,
    /// A prompt, by its name.
    Prompt,
}

impl Subject {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 3] = [Self::Tool, Self::Resource, Self::Prompt];

    /// The document's member with the rules about it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Resource => "resources",
            Self::Prompt => "prompts",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
        })
    }
}

/// A [`Subject`] as a type, so that a permit for a tool is no permit for a prompt of the same name.
pub trait Usable: sealed::Sealed {
    /// The same as a value.
    const SUBJECT: Subject;
}

/// See [`Subject::Tool`].
#[derive(Debug, PartialEq, Eq)]
pub enum Tool {}

/// See [`Subject::Resource`].
#[derive(Debug, PartialEq, Eq)]
pub enum Resource {}

/// See [`Subject::Prompt`].
#[derive(Debug, PartialEq, Eq)]
pub enum Prompt {}

impl Usable for Tool {
    const SUBJECT: Subject = Subject::Tool;
}

impl Usable for Resource {
    const SUBJECT: Subject = Subject::Resource;
}

impl Usable for Prompt {
    const SUBJECT: Subject = Subject::Prompt;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Tool {}
    impl Sealed for super::Resource {}
    impl Sealed for super::Prompt {}
}
