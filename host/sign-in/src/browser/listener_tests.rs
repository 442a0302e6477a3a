//! Ports, and what the system does not give.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Binds where the first `taken` ports of `::1` are somebody else's. Gives how many were tried as well.
async fn bind(taken: usize) -> (io::Result<Listeners>, usize) {
    let tried = AtomicUsize::new(0);
    let bound = Listeners::bind_with(|_| {
        let is_taken = tried.fetch_add(1, Ordering::Relaxed) < taken;
        async move {
            match is_taken {
                true => Err(io::Error::from(io::ErrorKind::AddrInUse)),
                // In the place of `::1`, which not every machine has.
                false => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
            }
        }
    });
    (bound.await, tried.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_port_that_somebody_has_is_not_taken_on_one_address_alone() {
    for taken in [0, 1, PORTS_TRIED - 1] {
        let (bound, tried) = bind(taken).await;
        assert!(bound.unwrap().v6.is_some(), "{taken}");
        assert_eq!(tried, taken + 1);
    }
    let (refused, tried) = bind(PORTS_TRIED).await;
    let Err(error) = refused else { panic!("half of that port is somebody else's") };
    assert_eq!(
        (error.kind(), error.to_string().as_str(), tried),
        (io::ErrorKind::AddrInUse, "somebody takes every port of ::1", PORTS_TRIED)
    );
}

/// Takes no connection, so many times; then those of its listener.
struct Exhausted {
    times: usize,
    asked: Arc<AtomicUsize>,
    after: TcpListener,
}

impl Accept for Exhausted {
    async fn accept(&self) -> io::Result<TcpStream> {
        match self.asked.fetch_add(1, Ordering::Relaxed) < self.times {
            true => Err(io::Error::other("too many open files")),
            false => self.after.accept().await.map(|(stream, _)| stream),
        }
    }
}

/// Serves where no connection is taken so many times, and how often one was asked for.
async fn exhausted(times: usize) -> (JoinSet<io::Result<()>>, Arc<AtomicUsize>, u16, Arc<Semaphore>) {
    let (tell, _) = mpsc::channel(1);
    let shared = Shared {
        authority: "https://login.example".to_owned(),
        state: SecretString::from("s"),
        hosts: ["localhost", "", ""].map(str::to_owned),
        tell: Mutex::new(Some(tell)),
    };
    let after = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (asked, stop) = (Arc::<AtomicUsize>::default(), Arc::new(Semaphore::new(0)));
    let port = after.local_addr().unwrap().port();
    let mut server = JoinSet::new();
    let listeners = Exhausted { times, asked: asked.clone(), after };
    server.spawn(serve(listeners, Arc::new(shared), stop.clone()));
    (server, asked, port, stop)
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_connection_waits_between_tries_and_gives_up() {
    let begun = tokio::time::Instant::now();
    let (mut server, asked, _, _stop) = exhausted(usize::MAX).await;
    let ended = server.join_next().await.unwrap().unwrap();
    assert_eq!(ended.unwrap_err().to_string(), "too many open files");
    assert_eq!(asked.load(Ordering::Relaxed), ACCEPTS_TRIED);
    let pauses = u32::try_from(ACCEPTS_TRIED).unwrap() - 1;
    assert!(begun.elapsed() >= ACCEPT_PAUSE * pauses, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_gets_a_connection_again_goes_on() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut server, asked, port, stop) = exhausted(3).await;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let read = timeout(REPLY_DEADLINE * 6, stream.read_to_string(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(asked.load(Ordering::Relaxed) > 3);
    stop.add_permits(1);
    server.join_next().await.unwrap().unwrap().unwrap();
}

/// What a browser is answered that sends the authority's answer to this listener.
async fn post(redirect_uri: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = redirect_uri.strip_prefix("http://").unwrap();
    let port = host.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let form = "code=c&state=s";
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The code is being redeemed, and its page is not known yet.
#[tokio::test]
async fn the_same_answer_from_a_second_tab_is_refused_while_the_first_waits_for_its_page() {
    let mut listener =
        Listener::open("https://login.example".to_owned(), SecretString::from("s")).await.unwrap();
    let redirect_uri = listener.redirect_uri().to_owned();
    let first = tokio::spawn({
        let redirect_uri = redirect_uri.clone();
        async move { post(&redirect_uri).await }
    });
    let reply = listener.reply().await.unwrap();
    let second = timeout(REPLY_DEADLINE * 6, post(&redirect_uri)).await.expect("it waits for nothing");
    assert!(second.starts_with("HTTP/1.1 400 ") && second.contains("Nothing to do here"), "{second}");
    assert!(!first.is_finished());
    assert!(reply.code.is_ok() && reply.page.send(Page::SignedIn { name: None }).is_ok());
    // With nobody left to wait for, the end is not put off.
    assert!(first.await.unwrap().starts_with("HTTP/1.1 200 "));
    listener.finish().await;
}

/// Whoever waits for the answer is told what keeps it away.
#[tokio::test]
async fn a_listener_that_gave_up_says_why() {
    let mut listener =
        Listener::open("https://login.example".to_owned(), SecretString::from("s")).await.unwrap();
    listener.server.abort_all();
    while listener.server.join_next().await.is_some() {}
    listener.server.spawn(async { Err(io::Error::other("too many open files")) });
    let Err(error) = listener.reply().await else { panic!("nobody has replied") };
    assert_eq!(error.to_string(), "too many open files");
}

#[tokio::test]
async fn a_machine_without_the_other_address_has_one() {
    let bound = Listeners::bind_with(|_| async {
        Err::<TcpListener, _>(io::Error::from(io::ErrorKind::AddrNotAvailable))
    })
    .await;
    assert!(bound.unwrap().v6.is_none());
}
