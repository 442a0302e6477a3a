//! The three artifacts of the native layout (decision 0001) and the stores that they run in.
//!
//! [`identity`] lives long and turns tokens into principals; [`request`] is fresh for each request; [`custodian`] is fresh for each call that a tool
//! makes. A principal crosses from one to the next as a resource of the host's, see [`principal`].

pub(crate) mod budget;
pub(crate) mod custodian;
pub(crate) mod identity;
pub(crate) mod principal;
pub(crate) mod request;

pub(crate) mod bindings {
    //! Generated bindings, one module an artifact, and every option they are generated with.
    #![allow(missing_docs, unreachable_pub, reason = "generated code; the WIT carries the documentation")]

    pub mod identity {
        wasmtime::component::bindgen!({
            path: [
                "../wit/deps/io",
                "../wit/deps/clocks",
                "../wit/deps/random",
                "../wit/crypto",
                "../wit/capability",
                "../wit/identity",
                "../wit/downstream",
                "../wit/mcp",
                "../wit/host",
            ],
            world: "valet:host/identity",
            imports: {
                "valet:capability/egress-keys.send": async,
                "valet:capability/key-cache.take-turn": async | trappable,
            },
            exports: { default: async },
            with: { "valet:capability/key-cache.turn": crate::capabilities::Turn },
        });
    }

    pub mod custodian {
        wasmtime::component::bindgen!({
            path: [
                "../wit/deps/io",
                "../wit/deps/clocks",
                "../wit/deps/random",
                "../wit/crypto",
                "../wit/capability",
                "../wit/identity",
                "../wit/downstream",
                "../wit/mcp",
                "../wit/host",
            ],
            world: "valet:host/custodian",
            imports: {
                "valet:capability/egress-authority.send": async,
                "valet:capability/egress-graph.send": async,
            },
            exports: { default: async },
            with: {
                "valet:identity/principal.principal": crate::parts::principal::Principal,
                "valet:capability/http": crate::parts::bindings::identity::valet::capability::http,
                "valet:capability/settings": crate::parts::bindings::identity::valet::capability::settings,
                "wasi:clocks/wall-clock": crate::parts::bindings::identity::wasi::clocks::wall_clock,
            },
        });
    }

    pub mod request {
        wasmtime::component::bindgen!({
            path: [
                "../wit/deps/io",
                "../wit/deps/clocks",
                "../wit/deps/random",
                "../wit/crypto",
                "../wit/capability",
                "../wit/identity",
                "../wit/downstream",
                "../wit/mcp",
                "../wit/host",
            ],
            world: "valet:host/request",
            imports: {
                "valet:identity/authenticator.authenticate": async,
                "valet:identity/authenticator.ready": async,
                "valet:downstream/requests.send": async,
            },
            exports: { default: async },
            with: {
                "valet:identity/principal": crate::parts::bindings::custodian::valet::identity::principal,
                "valet:capability/settings": crate::parts::bindings::identity::valet::capability::settings,
                "wasi:clocks/wall-clock": crate::parts::bindings::identity::wasi::clocks::wall_clock,
                "wasi:random/random": crate::parts::bindings::custodian::wasi::random::random,
            },
        });
    }
}
