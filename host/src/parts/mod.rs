//! The artifacts of the native layout (decision 0001) and the stores that they run in.
//!
//! [`identity`] lives long and turns tokens into principals; [`request`] and [`authorization`] are fresh for each request; [`custodian`] is fresh for each
//! call that a tool makes, and for each use of a session. A principal crosses from one to the next as a resource of the host's, see [`principal`].

pub(crate) mod authorization;
pub(crate) mod budget;
pub(crate) mod custodian;
pub(crate) mod identity;
pub(crate) mod local;
pub(crate) mod principal;
pub(crate) mod request;

pub(crate) mod bindings {
    //! Generated bindings, one module an artifact, and every option they are generated with.
    #![allow(missing_docs, unreachable_pub, reason = "generated code; the WIT carries the documentation")]

    /// [`wasmtime::component::bindgen!`] of a world of ours, with what all artifacts have in common.
    macro_rules! artifact {
        ($($options:tt)*) => {
            wasmtime::component::bindgen!({
                path: [
                    "../wit/deps/io",
                    "../wit/deps/clocks",
                    "../wit/deps/random",
                    "../wit/crypto",
                    "../wit/capability",
                    "../wit/identity",
                    "../wit/oauth",
                    "../wit/downstream",
                    "../wit/mcp",
                    "../wit/host",
                ],
                exports: { default: async },
                $($options)*
            });
        };
    }

    pub mod identity {
        artifact! {
            world: "valet:host/identity",
            imports: {
                "valet:capability/egress-keys.send": async,
                "valet:capability/key-cache.get": async,
                "valet:capability/key-cache.set": async,
                "valet:capability/key-cache.take-turn": async | trappable,
                "valet:capability/own-keys.key-set": async,
                "valet:capability/live-sessions.is-live": async,
            },
            with: { "valet:capability/key-cache.turn": crate::capabilities::Turn },
        }
    }

    pub mod custodian {
        artifact! {
            world: "valet:host/custodian",
            imports: {
                "valet:capability/egress-authority.send": async,
                "valet:capability/egress-graph.send": async,
                "valet:capability/token-store.get": async,
                "valet:capability/token-store.set": async,
                "valet:capability/token-store.delete": async,
                "valet:capability/session-store.get": async,
                "valet:capability/session-store.set": async,
                "valet:capability/session-store.replace": async,
                "valet:capability/session-store.delete": async,
                "valet:capability/session-store.take-turn": async | trappable,
            },
            with: {
                "valet:identity/principal.principal": crate::parts::principal::Principal,
                "valet:capability/session-store.turn": crate::capabilities::SessionTurn,
                "valet:capability/http": crate::parts::bindings::identity::valet::capability::http,
                "valet:capability/settings": crate::parts::bindings::identity::valet::capability::settings,
                "wasi:clocks/wall-clock": crate::parts::bindings::identity::wasi::clocks::wall_clock,
            },
        }
    }

    pub mod authorization {
        artifact! {
            world: "valet:host/authorization",
            imports: {
                "valet:oauth/sessions.open": async,
                "valet:oauth/sessions.renew": async,
                "valet:oauth/sessions.step-up": async,
                "valet:oauth/sessions.close": async,
                "valet:oauth/forwarding.send": async,
                "valet:capability/grant-store.get": async,
                "valet:capability/grant-store.set": async,
                "valet:capability/grant-store.take": async,
                "valet:capability/grant-store.swap": async,
                "valet:capability/grant-store.delete": async,
                "valet:capability/grant-store.count": async,
                "valet:capability/token-signing.key-id": async,
                "valet:capability/token-signing.sign": async,
                "valet:capability/egress-metadata.get": async,
            },
            with: {
                "valet:capability/http": crate::parts::bindings::identity::valet::capability::http,
                "valet:capability/settings": crate::parts::bindings::identity::valet::capability::settings,
                "valet:crypto/signature": crate::parts::bindings::identity::valet::crypto::signature,
                "valet:capability/own-keys": crate::parts::bindings::identity::valet::capability::own_keys,
                "valet:capability/audit": crate::parts::bindings::request::valet::capability::audit,
                "valet:capability/request-state": crate::parts::bindings::request::valet::capability::request_state,
                "wasi:clocks/wall-clock": crate::parts::bindings::identity::wasi::clocks::wall_clock,
                "wasi:random/random": crate::parts::bindings::custodian::wasi::random::random,
            },
        }
    }

    pub mod local_custodian {
        artifact! {
            world: "valet:host/local-custodian",
            imports: {
                "valet:downstream/tokens.acquire": async,
                "valet:downstream/tokens.forget": async,
            },
            with: {
                "valet:identity/principal": crate::parts::bindings::custodian::valet::identity::principal,
                "valet:capability/http": crate::parts::bindings::identity::valet::capability::http,
                "valet:capability/settings": crate::parts::bindings::identity::valet::capability::settings,
                "valet:capability/egress-graph": crate::parts::bindings::custodian::valet::capability::egress_graph,
            },
        }
    }

    pub mod request {
        artifact! {
            world: "valet:host/request",
            imports: {
                "valet:identity/authenticator.authenticate": async,
                "valet:identity/authenticator.ready": async,
                "valet:downstream/requests.send": async,
            },
            with: {
                "valet:identity/principal": crate::parts::bindings::custodian::valet::identity::principal,
                "valet:capability/settings": crate::parts::bindings::identity::valet::capability::settings,
                "wasi:clocks/wall-clock": crate::parts::bindings::identity::wasi::clocks::wall_clock,
                "wasi:random/random": crate::parts::bindings::custodian::wasi::random::random,
            },
        }
    }
}
