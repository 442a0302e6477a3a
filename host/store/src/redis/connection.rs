//! One connection for all, made again when it is lost.
//!
//! A command is sent once. If its connection is lost under it, it may have been done or not, so it fails and the next one gets a new connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, PushInfo, PushKind, RedisError, RedisResult};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::failed;
use super::settings::RedisSettings;
use crate::error::StoreError;
use crate::limits::{REDIS_ANSWER_TIME, REDIS_CONNECT_TIME};

pub(super) struct Connection {
    client: redis::Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// When connecting failed last, and why.
    failure: Option<(Instant, StoreError)>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    lost: Arc<AtomicBool>,
}

impl Connection {
    pub(super) async fn open(settings: &RedisSettings) -> Result<Self, StoreError> {
        let connection = Self { client: settings.client()?, state: Mutex::default() };
        connection.live().await?;
        Ok(connection)
    }

    pub(super) async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        let mut live = self.live().await?;
        let answer = command.query_async(&mut live.connection).await;
        live.judge(answer)
    }

    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        script: &redis::ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut live = self.live().await?;
        let answer = script.invoke_async(&mut live.connection).await;
        live.judge(answer)
    }

    /// The connection, made if there is none. Of those who wait for it one connects; if it cannot, the others fail with it rather than one after the other.
    async fn live(&self) -> Result<Live, StoreError> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(live) = state.live.as_ref().filter(|live| !live.lost.load(Ordering::Relaxed)) {
            return Ok(live.clone());
        }
        if let Some((_, error)) = state.failure.as_ref().filter(|(when, _)| *when >= asked) {
            return Err(error.clone());
        }
        state.live = None;
        match self.connect().await {
            Ok(live) => {
                *state = State { live: Some(live.clone()), failure: None };
                Ok(live)
            }
            Err(error) => {
                let error = failed(&error);
                state.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> RedisResult<Live> {
        let lost = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&lost);
        let watch = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                noted.store(true, Ordering::Relaxed);
            }
            Ok::<_, std::convert::Infallible>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(REDIS_CONNECT_TIME))
            .set_response_timeout(Some(REDIS_ANSWER_TIME))
            .set_push_sender(watch);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Live { connection, lost })
    }
}

impl Live {
    /// A connection on which something went wrong beside the command is not used again. That includes one that is silent: the server may be gone
    /// without the system knowing it.
    fn judge<T>(&self, answer: RedisResult<T>) -> Result<T, StoreError> {
        answer.map_err(|error: RedisError| {
            if error.is_io_error() || error.is_unrecoverable_error() {
                self.lost.store(true, Ordering::Relaxed);
            }
            failed(&error)
        })
    }
}
