use tokio::io::{DuplexStream, duplex};

use super::super::frames::PieceKind::{Close, Text};
use super::super::frames::tests::masked;
use super::super::inspect::Standing;
use super::*;
use crate::config::Settings;

const TEXT: u8 = 0x81;

fn settings() -> Socket {
    Settings::with_overrides("").unwrap().socket
}

/// A client, a backend, and the gateway's ends of both.
struct Wires {
    client: DuplexStream,
    backend: DuplexStream,
    to_client: DuplexStream,
    to_backend: DuplexStream,
}

/// Wires that hold so many bytes.
fn wires(room: usize) -> Wires {
    let (client, to_client) = duplex(room);
    let (backend, to_backend) = duplex(room);
    Wires {
        client,
        backend,
        to_client,
        to_backend,
    }
}

/// Says the same of everybody who shows a token.
struct Says(Result<(), String>);

impl Judge for Says {
    async fn judge(&self, auth: &str) -> Result<(), String> {
        assert!(auth.starts_with("{\"token\":"), "{auth}");
        self.0.clone()
    }

    fn is_admitted(&self) -> bool {
        false
    }
}

async fn introduced(wires: &mut Wires, judge: &Says) -> Option<Introduced> {
    let inspector = Inspector::new(Standing::Fresh, 1000);
    introduce(
        &mut wires.to_client,
        &mut wires.to_backend,
        inspector,
        &text_frame("0{}"),
        judge,
        &settings(),
    )
    .await
    .unwrap()
}

async fn exactly(stream: &mut DuplexStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

async fn to_the_end(mut stream: DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn a_client_that_is_let_in_is_handed_over_with_all_it_has_said() {
    let mut wires = wires(4096);
    let said = [
        masked(TEXT, b"40{\"token\":\"t\"}"),
        masked(TEXT, b"42[\"a\"]"),
    ]
    .concat();
    wires.client.write_all(&said).await.unwrap();
    let introduced = introduced(&mut wires, &Says(Ok(()))).await;
    assert_eq!(introduced.unwrap().to_backend, said);
    drop(wires.to_backend);
    assert_eq!(
        to_the_end(wires.backend).await,
        b"",
        "it goes on with the tunnel"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_hears_why_between_two_frames_and_the_backend_hears_nothing() {
    let mut wires = wires(4096);
    // The backend is in the middle of a frame.
    let ping = text_frame("2");
    wires.backend.write_all(&ping).await.unwrap();
    wires.backend.write_all(&ping[..1]).await.unwrap();
    let said = masked(TEXT, b"40{\"token\":\"bad\"}");
    wires.client.write_all(&said).await.unwrap();
    let introduced = introduced(&mut wires, &Says(Err("44{}".to_owned()))).await;
    assert_eq!(introduced, None);
    drop((wires.to_client, wires.to_backend));
    assert_eq!(to_the_end(wires.backend).await, b"");
    let mut heard = Frames::new(Sender::Server, 1000);
    heard.push(&to_the_end(wires.client).await);
    let mut texts = Vec::new();
    while let Some(piece) = heard.next().unwrap() {
        texts.push(piece.kind);
    }
    let refusal = [Text("44{}".to_owned()), Close];
    assert_eq!(texts[texts.len() - 2..], refusal, "{texts:?}");
    assert_eq!(heard.into_rest(), b"");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_closes_the_socket() {
    let mut wires = wires(4096);
    wires.client.write_all(b"\x81\x01x").await.unwrap();
    assert_eq!(introduced(&mut wires, &Says(Ok(()))).await, None);
    drop(wires.to_client);
    let heard = to_the_end(wires.client).await;
    assert!(
        heard.ends_with(&close_frame(1002, "protocol_error")),
        "{heard:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_in_time_goes_on_only_if_another_gateway_may_have_let_them_in() {
    for (standing, goes_on) in [(Standing::Resumed, true), (Standing::Fresh, false)] {
        let mut wires = wires(4096);
        let probe = [masked(TEXT, b"2probe"), masked(TEXT, b"5")].concat();
        let part = &masked(TEXT, b"3")[..2];
        wires.client.write_all(&probe).await.unwrap();
        wires.client.write_all(part).await.unwrap();
        // The backend is in the middle of a frame.
        let ping = text_frame("2");
        wires.backend.write_all(&ping[..1]).await.unwrap();
        let inspector = Inspector::new(standing, 1000);
        let (judge, settings) = (Says(Ok(())), settings());
        let introduced = introduce(
            &mut wires.to_client,
            &mut wires.to_backend,
            inspector,
            &[],
            &judge,
            &settings,
        );
        let expected = goes_on.then(|| Introduced {
            to_backend: part.to_vec(),
            to_client: ping[..1].to_vec(),
        });
        assert_eq!(introduced.await.unwrap(), expected);
        assert_eq!(exactly(&mut wires.backend, probe.len()).await, probe);
    }
}

#[tokio::test]
async fn a_tunnel_carries_everything_through_the_narrowest_of_pipes() {
    let Wires {
        client,
        backend,
        to_client,
        to_backend,
    } = wires(7);
    let first = Introduced {
        to_backend: b"first".to_vec(),
        to_client: b"hello".to_vec(),
    };
    let pump = Pump::new(to_client, to_backend, first, Duration::from_secs(5));
    let tunnel = tokio::spawn(pump);
    let sent: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    let side = async |stream: DuplexStream, greeting: &[u8]| {
        let (mut read, mut write) = tokio::io::split(stream);
        let bytes = sent.clone();
        let writing = async move {
            write.write_all(&bytes).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut heard = Vec::new();
        let ((), read) = tokio::join!(writing, read.read_to_end(&mut heard));
        read.unwrap();
        assert_eq!(heard.len(), greeting.len() + sent.len());
        assert!(heard.starts_with(greeting) && heard.ends_with(&sent));
    };
    tokio::join!(side(client, b"hello"), side(backend, b"first"));
    tunnel.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_side_that_does_not_end_after_the_other_is_not_waited_for_for_ever() {
    let Wires {
        mut client,
        mut backend,
        to_client,
        to_backend,
    } = wires(100);
    let pump = Pump::new(
        to_client,
        to_backend,
        Introduced::default(),
        Duration::from_secs(5),
    );
    let tunnel = tokio::spawn(pump);
    client.write_all(b"bye").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(exactly(&mut backend, 3).await, b"bye");
    // It still says something, and then nothing more.
    backend.write_all(b"late").await.unwrap();
    assert_eq!(exactly(&mut client, 4).await, b"late");
    tunnel.await.unwrap();
}

#[tokio::test]
async fn an_idle_tunnel_holds_no_buffer() {
    let Wires {
        mut client,
        mut backend,
        to_client,
        to_backend,
    } = wires(16);
    let mut pump = Pump::new(to_client, to_backend, Introduced::default(), Duration::ZERO);
    let sending = async {
        client.write_all(&[7; 1000]).await.unwrap();
        client
    };
    let receiving = exactly(&mut backend, 1000);
    let (sending, receiving) = (std::pin::pin!(sending), std::pin::pin!(receiving));
    let mut both = std::pin::pin!(async { tokio::join!(sending, receiving) });
    std::future::poll_fn(|cx| {
        assert!(Pin::new(&mut pump).poll(cx).is_pending());
        both.as_mut().poll(cx).map(|_| ())
    })
    .await;
    assert_eq!(pump.to_backend.waiting.capacity(), 0);
    assert_eq!(pump.to_client.waiting.capacity(), 0);
}
