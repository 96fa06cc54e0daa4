//! The load generator: keep-alive clients on one thread that send requests made beforehand and check every answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;

/// No load lasts longer, whatever happens.
const LONGEST: Duration = Duration::from_mins(1);

/// The bytes of a request.
pub fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = body.map(ToString::to_string).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}{kind}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: &'a [u8],
}

/// One keep-alive client.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, start, length) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < start + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Answer { status, body: self.buffer.get(start..start + length).unwrap_or_default() })
    }

    /// Sends a request whose answer must have a status and be JSON (or empty).
    pub async fn json(&mut self, request: &[u8], status: u16) -> Result<Value, Failure> {
        let answer = self.send(request).await?;
        if answer.status != status {
            let first_line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let (request, body) = (String::from_utf8_lossy(first_line), String::from_utf8_lossy(answer.body));
            return Err(format!("{request} answered {}: {body}", answer.status).into());
        }
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(answer.body)?) }
    }
}

/// Status, where the body starts and how long it is; nothing while the head is not complete.
fn head(bytes: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok()).ok_or_else(|| wrong("no text"))?;
    let status = text.get(9..12).and_then(|word| word.parse().ok()).ok_or_else(|| wrong("no status"))?;
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    let length = match text.lines().find_map(named) {
        Some(length) => length,
        None if status == 204 || status == 304 => 0,
        None => return Err(wrong("no content-length")),
    };
    Ok(Some((status, end + 4, length)))
}

/// How much to send.
#[derive(Clone, Copy)]
pub enum Amount {
    /// All requests in turn, again and again, for so long; what comes in the first fifth is not counted.
    For(Duration),
    /// Each request once.
    Each,
}

/// What to send, and what must come back.
#[derive(Clone)]
pub struct Load {
    /// Where to.
    pub address: SocketAddr,
    /// The requests.
    pub requests: Arc<[Vec<u8>]>,
    /// How many clients.
    pub clients: usize,
    /// Every answer must have this status …
    pub status: u16,
    /// … and contain this.
    pub contains: &'static str,
    /// How much.
    pub amount: Amount,
}

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// Right answers a second.
    pub per_second: f64,
    /// Microseconds of each right answer, in order of size.
    pub micros: Vec<u32>,
    /// All requests, counted or not.
    pub sent: u32,
    /// Wrong answers and broken connections.
    pub errors: u32,
    /// One of them.
    pub error: Option<String>,
}

impl Outcome {
    /// Takes another's answers in.
    pub fn add(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.sent += other.sent;
        self.errors += other.errors;
        self.error = self.error.take().or(other.error);
    }

    /// A percentile in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = self.micros.len().saturating_sub(1) * percent / 100;
        self.micros.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

impl Load {
    /// Sends it.
    pub async fn run(&self) -> Result<Outcome, Failure> {
        let mut clients = Vec::new();
        for _ in 0..self.clients {
            clients.push(Client::connect(self.address).await?);
        }
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let (from, until) = match self.amount {
            Amount::For(time) => (start + time / 5, start + time.min(LONGEST)),
            Amount::Each => (start, start + LONGEST),
        };
        let mut tasks = JoinSet::new();
        for client in clients {
            tasks.spawn(self.clone().client(client, Arc::clone(&next), from, until));
        }
        let mut all = Outcome::default();
        while let Some(one) = tasks.join_next().await {
            all.add(one?);
        }
        all.micros.sort_unstable();
        let seconds = start.elapsed().saturating_sub(from - start).as_secs_f64();
        all.per_second = f64::from(u32::try_from(all.micros.len())?) / seconds;
        Ok(all)
    }

    async fn client(self, mut client: Client, next: Arc<AtomicUsize>, from: Instant, until: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        loop {
            let now = Instant::now();
            let at = next.fetch_add(1, Ordering::Relaxed);
            let at = if let Amount::For(_) = self.amount { at % self.requests.len().max(1) } else { at };
            let Some(request) = self.requests.get(at).filter(|_| now < until) else { return outcome };
            outcome.sent += 1;
            let wrong = match client.send(request).await {
                Ok(answer) if answer.status == self.status && contains(answer.body, self.contains) => None,
                Ok(answer) => Some(format!("{} {}", answer.status, String::from_utf8_lossy(answer.body))),
                Err(error) => Some(error.to_string()),
            };
            if let Some(wrong) = wrong {
                outcome.errors += 1;
                outcome.error.get_or_insert(wrong);
                if let Ok(fresh) = Client::connect(self.address).await {
                    client = fresh;
                }
            } else if now >= from {
                outcome.micros.push(u32::try_from(now.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
        }
    }
}

fn contains(body: &[u8], part: &str) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        assert!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n").unwrap().is_none());
        let whole = b"HTTP/1.1 201 Created\r\ncontent-type: x\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(head(whole).unwrap(), Some((201, whole.len() - 5, 5)));
        assert_eq!(head(b"HTTP/1.1 304 Not Modified\r\n\r\n").unwrap(), Some((304, 29, 0)));
        assert!(head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
