//! Injected faults and latencies, and how often each call was made.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError as _, web};
use serde::{Deserialize, Serialize};

use crate::errcode::Errcode;
use crate::world::World;

/// What happens to a call instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing: the call is only late.
    Answer,
    Errcode(i64),
    Status(StatusCode),
    /// The connection is closed without an answer.
    Drop,
}

/// A fault of one path's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    path: String,
    outcome: Outcome,
    latency: Duration,
    /// `None`: until the faults are cleared.
    times: Option<u32>,
}

impl Fault {
    fn new(path: &str, outcome: Outcome) -> Self {
        Self { path: path.to_owned(), outcome, latency: Duration::ZERO, times: None }
    }

    /// Calls of `path` (`*`: of any) are answered with an errcode.
    #[must_use]
    pub fn errcode(path: &str, code: i64) -> Self {
        Self::new(path, Outcome::Errcode(code))
    }

    /// Calls are answered with an HTTP status.
    #[must_use]
    pub fn status(path: &str, status: StatusCode) -> Self {
        Self::new(path, Outcome::Status(status))
    }

    /// Calls are served as usual, but late.
    #[must_use]
    pub fn latency(path: &str, latency: Duration) -> Self {
        Self::new(path, Outcome::Answer).after(latency)
    }

    /// The connection is closed without an answer.
    #[must_use]
    pub fn drop_connection(path: &str) -> Self {
        Self::new(path, Outcome::Drop)
    }

    /// Nothing comes for a while, then the connection is closed.
    #[must_use]
    pub fn hang(path: &str, hang: Duration) -> Self {
        Self::drop_connection(path).after(hang)
    }

    /// The fault shows only after a while.
    #[must_use]
    pub fn after(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// The fault is gone after so many calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// The JSON form: at most one of `errcode`, `status`, `drop` and `hang_ms`, and `latency_ms` with or without one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultJson {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hang_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(default)]
    drop: bool,
    times: Option<u32>,
}

impl TryFrom<FaultJson> for Fault {
    type Error = &'static str;

    fn try_from(json: FaultJson) -> Result<Self, Self::Error> {
        let path = json.path.as_str();
        let fault = match (json.errcode, json.status, json.hang_ms, json.drop) {
            (Some(code), None, None, false) => Self::errcode(path, code),
            (None, Some(status), None, false) => {
                Self::status(path, StatusCode::from_u16(status).or(Err("status is not one of HTTP's"))?)
            }
            (None, None, Some(hang), false) => Self::hang(path, Duration::from_millis(hang)),
            (None, None, None, true) => Self::drop_connection(path),
            (None, None, None, false) if json.latency_ms.is_some() => Self::latency(path, Duration::ZERO),
            _ => return Err("give one of errcode, status, hang_ms, latency_ms, drop"),
        };
        let latency = fault.latency + Duration::from_millis(json.latency_ms.unwrap_or_default());
        Ok(Self { latency, times: json.times, ..fault })
    }
}

/// The faults in force, and the calls so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: VecDeque<Fault>,
    calls: BTreeMap<String, u64>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn calls(&self) -> &BTreeMap<String, u64> {
        &self.calls
    }

    /// Counts the call and takes the first fault that concerns it.
    fn call(&mut self, path: &str) -> Option<Fault> {
        *self.calls.entry(path.to_owned()).or_default() += 1;
        let index = self.faults.iter().position(|fault| fault.path == "*" || fault.path == path)?;
        let fault = self.faults.get_mut(index)?;
        fault.times = fault.times.map(|times| times.saturating_sub(1));
        if fault.times == Some(0) { self.faults.remove(index) } else { Some(fault.clone()) }
    }
}

/// A second handle on a request's connection, to close it without an answer.
struct Connection(TcpStream);

/// For `HttpServer::on_connect`.
pub(crate) fn keep_connection(connection: &dyn std::any::Any, data: &mut Extensions) {
    #[cfg(unix)]
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        use std::os::fd::AsFd as _;
        if let Ok(handle) = stream.as_fd().try_clone_to_owned() {
            data.insert(Connection(handle.into()));
        }
    }
    #[cfg(not(unix))]
    let _ = (connection, data);
}

/// The middleware of every WeChat call.
pub(crate) async fn gate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let fault = request.app_data::<web::Data<World>>().and_then(|world| world.state().faults.call(request.path()));
    let Some(fault) = fault else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    if !fault.latency.is_zero() {
        tokio::time::sleep(fault.latency).await;
    }
    let response = match fault.outcome {
        Outcome::Answer => return Ok(next.call(request).await?.map_into_left_body()),
        Outcome::Errcode(code) => Errcode(code).error_response(),
        Outcome::Status(status) => HttpResponse::new(status),
        Outcome::Drop => {
            if let Some(Connection(stream)) = request.conn_data() {
                // It may be closed already, which is as good.
                let _ = stream.shutdown(Shutdown::Both);
            }
            HttpResponse::ServiceUnavailable().force_close().finish()
        }
    };
    Ok(request.into_response(response).map_into_right_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_wear_off_in_order() {
        let mut faults = Faults::default();
        faults.add(Fault::errcode("/a", -1).times(2));
        faults.add(Fault::drop_connection("*").times(1));
        assert_eq!(faults.call("/a"), Some(Fault::errcode("/a", -1).times(1)));
        assert_eq!(faults.call("/b"), Some(Fault::drop_connection("*").times(0)));
        assert_eq!(faults.call("/a"), Some(Fault::errcode("/a", -1).times(0)));
        assert_eq!(faults.call("/a"), None);
        assert_eq!(faults.calls().get("/a"), Some(&3));
    }

    #[test]
    fn the_json_form_takes_one_outcome() {
        let parse = |json: &str| serde_json::from_str::<FaultJson>(json).map(Fault::try_from);
        let late = parse(r#"{"path":"/a","errcode":-1,"latency_ms":5}"#).unwrap().unwrap();
        assert_eq!(late, Fault::errcode("/a", -1).after(Duration::from_millis(5)));
        assert!(parse(r#"{"path":"/a"}"#).unwrap().is_err());
        assert!(parse(r#"{"path":"/a","errcode":1,"status":500}"#).unwrap().is_err());
        assert!(parse(r#"{"path":"/a","status":9}"#).unwrap().is_err());
        assert!(parse(r#"{"path":"/a","ercode":1}"#).is_err());
    }
}
