//! A plain host: what a manifest grants, in wasmtime with its own WASI 0.2.
//!
//! One fresh instance a request. Outbound requests to `http://<component>.spin.internal` go to that component, if the manifest lists it
//! (service chaining); everything else is judged by `valet::portable::egress`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Request, Response};
use tokio::sync::oneshot;
use url::Url;
use valet::egress::Connector;
use valet::portable::config::{self, Variables, VariablesView};
use valet::portable::egress::{Egress, EgressHooks};
use valet::portable::keyvalue::{self, KeyValue, KeyValueView, Stores};
use valet::store::{self, SystemClock};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::manifest::{Given, Manifest, Route};

/// What the host of a component's URL ends in when another component is meant.
const INTERNAL: &str = ".spin.internal";

/// Bytes of standard error that are kept.
const LOG_BYTES: usize = 16 * 1024 * 1024;

/// The components of a manifest, with its grants.
pub(crate) struct Application {
    parts: BTreeMap<String, Part>,
    routes: BTreeMap<String, String>,
    /// Standard error of all components.
    log: MemoryOutputPipe,
    /// Every request that a component sent.
    pub(crate) sent: Mutex<Vec<Sent>>,
}

/// One component and its grants.
struct Part {
    artifact: ProxyPre<State>,
    variables: Mutex<Arc<Variables>>,
    egress: Arc<Egress>,
    chained: Vec<String>,
    stores: Arc<Stores>,
    granted: Vec<String>,
}

/// A request that a component sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) from: String,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) content_length: Option<String>,
}

impl Application {
    /// The application of `manifest`, with what an operator gives. `replaced` runs other artifacts than the manifest's.
    pub(crate) fn new(
        manifest: &Manifest,
        given: &Given,
        connector: &Connector,
        replaced: &[(&str, &Path)],
    ) -> Arc<Self> {
        // Every host has `default`; who may open it is the manifest's word.
        let stores = Arc::new(Stores::new(&store::Store::memory(SystemClock), ["default"]).unwrap());
        let mut parts = BTreeMap::new();
        for (name, component) in &manifest.component {
            let replaced = replaced.iter().find(|(part, _)| part == name).map(|(_, path)| (*path).to_owned());
            let source = replaced.unwrap_or_else(|| manifest.source(component));
            let hosts = manifest.hosts(component, given);
            let chained =
                |host: &String| host.strip_prefix("http://")?.strip_suffix(INTERNAL).map(str::to_owned);
            let origins: Vec<Url> = hosts
                .iter()
                .filter(|host| chained(host).is_none())
                .map(|host| Url::parse(host).unwrap())
                .collect();
            let part = Part {
                artifact: ProxyPre::new(linker().instantiate_pre(&compiled(&source)).unwrap()).unwrap(),
                variables: Mutex::new(Arc::new(manifest.settings(component, given).into_iter().collect())),
                egress: Arc::new(Egress::new(&origins, connector)),
                chained: hosts.iter().filter_map(chained).collect(),
                stores: Arc::clone(&stores),
                granted: component.key_value_stores.clone(),
            };
            parts.insert(name.clone(), part);
        }
        let routes = manifest.trigger.http.iter().filter_map(|trigger| match &trigger.route {
            Route::Public(path) => Some((path.clone(), trigger.component.clone())),
            Route::Private { .. } => None,
        });
        let (routes, log) = (routes.collect(), MemoryOutputPipe::new(LOG_BYTES));
        Arc::new(Self { parts, routes, log, sent: Mutex::default() })
    }

    /// Answers a request from outside, by the public routes.
    pub(crate) async fn answer<B>(self: &Arc<Self>, request: Request<B>) -> Response<WasiBody>
    where
        B: Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
    {
        let empty = |status| Response::builder().status(status).body(body("")).unwrap();
        match self.routes.get(request.uri().path()) {
            None => empty(404),
            // Like Spin: a crash is an empty 500.
            Some(part) => self.run(part, request).await.unwrap_or_else(|_| empty(500)),
        }
    }

    /// Answers a request by the component `name`, in a fresh instance.
    pub(crate) async fn run<B>(
        self: &Arc<Self>,
        name: &str,
        request: Request<B>,
    ) -> wasmtime::Result<Response<WasiBody>>
    where
        B: Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
    {
        let mut store = Store::new(engine(), self.instance(name));
        let (sender, receiver) = oneshot::channel();
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let out = store.data_mut().http().new_response_outparam(sender)?;
        let artifact = self.parts[name].artifact.clone();
        // It goes on after the head of the answer is there.
        let task = tokio::spawn(async move {
            let proxy = artifact.instantiate_async(&mut store).await?;
            proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
        });
        match receiver.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(task.await?.err().unwrap_or_else(|| wasmtime::Error::msg("no answer"))),
        }
    }

    /// The state of a new instance of the component `name`: everything that it is lent.
    pub(crate) fn instance(self: &Arc<Self>, name: &str) -> State {
        let part = &self.parts[name];
        let hooks = Hooks {
            application: Arc::downgrade(self),
            part: name.to_owned(),
            egress: EgressHooks::new(Arc::clone(&part.egress)),
        };
        State {
            table: ResourceTable::new(),
            wasi: WasiCtx::builder().stderr(self.log.clone()).build(),
            http: WasiHttpCtx::new(),
            hooks,
            variables: Arc::clone(&part.variables.lock().unwrap()),
            keyvalue: KeyValue::new(Arc::clone(&part.stores), part.granted.clone()),
        }
    }

    /// Gives components other variables from now on.
    pub(crate) fn vary(&self, manifest: &Manifest, given: &Given) {
        for (name, part) in &self.parts {
            let settings = manifest.settings(&manifest.component[name], given);
            *part.variables.lock().unwrap() = Arc::new(settings.into_iter().collect());
        }
    }

    /// What the components wrote to standard error.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.contents()).into_owned()
    }
}

/// The data of one instance.
pub(crate) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(crate) hooks: Hooks,
    pub(crate) variables: Arc<Variables>,
    pub(crate) keyvalue: KeyValue,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Service chaining around the egress policy.
pub(crate) struct Hooks {
    application: Weak<Application>,
    part: String,
    egress: EgressHooks,
}

type Answer = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Hooks {
    fn set_host_header(&mut self) -> bool {
        self.egress.set_host_header()
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        rest: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let application = self.application.upgrade().expect("the application outlives its requests");
        let field = request.headers().get(CONTENT_LENGTH);
        application.sent.lock().unwrap().push(Sent {
            from: self.part.clone(),
            method: request.method().clone(),
            url: request.uri().to_string(),
            content_length: field.map(|value| value.to_str().unwrap().to_owned()),
        });
        let host = request.uri().host().and_then(|host| host.strip_suffix(INTERNAL)).map(str::to_owned);
        let chained = &application.parts[&self.part].chained;
        match host.filter(|host| chained.contains(host)) {
            None => self.egress.send_request(request, options, rest),
            Some(part) => Box::new(async move {
                let failed = |error: wasmtime::Error| Error::InternalError(Some(format!("{error:#}")));
                let answer = application.run(&part, request).await.map_err(failed)?;
                Ok((answer, Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>))
            }),
        }
    }
}

/// A complete body.
pub(crate) fn body(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(Engine::default)
}

/// All that the host lends to any component; what comes of it is up to the grants in [`State`].
fn linker() -> Linker<State> {
    let mut linker = Linker::new(engine());
    wasmtime_wasi_http::p2::add_to_linker_async(&mut linker).unwrap();
    config::add_to_linker(&mut linker, |state: &mut State| VariablesView::new(&state.variables)).unwrap();
    keyvalue::add_to_linker(&mut linker, |state: &mut State| KeyValueView::new(&mut state.keyvalue)).unwrap();
    linker
}

/// The component at `path`, compiled once.
pub(crate) fn compiled(path: &Path) -> Component {
    type Artifacts = HashMap<PathBuf, Arc<OnceLock<Component>>>;
    static COMPILED: OnceLock<Mutex<Artifacts>> = OnceLock::new();
    let artifact =
        Arc::clone(COMPILED.get_or_init(Mutex::default).lock().unwrap().entry(path.to_owned()).or_default());
    let compile = || {
        Component::from_file(engine(), path)
            .unwrap_or_else(|error| panic!("{}: {error:#}; `cargo xtask compose` makes it", path.display()))
    };
    artifact.get_or_init(compile).clone()
}

/// The names that the component at `path` imports and exports.
pub(crate) fn names(path: &Path) -> (Vec<String>, Vec<String>) {
    let kind = compiled(path).component_type();
    let imports = kind.imports(engine()).map(|(name, _)| name.to_owned()).collect();
    (imports, kind.exports(engine()).map(|(name, _)| name.to_owned()).collect())
}
