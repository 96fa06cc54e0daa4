//! What actix can do on this machine: an answer turned into JSON, and nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::Value;

type Answer = RwLock<Arc<Value>>;

/// Serves `/` with the answer that was last put to `/answer`.
pub async fn serve(listen: SocketAddr) -> std::io::Result<()> {
    let answer = web::Data::new(Answer::default());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(answer.clone())
            .app_data(web::PayloadConfig::new(1 << 20))
            .route("/answer", web::put().to(set))
            .route("/", web::to(give))
    });
    // As many threads as Linli's default.
    server.workers(2).bind(listen)?.run().await
}

async fn set(answer: web::Data<Answer>, body: web::Json<Value>) -> HttpResponse {
    *answer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(body.into_inner());
    HttpResponse::Ok().finish()
}

async fn give(answer: web::Data<Answer>, body: web::Bytes) -> HttpResponse {
    if !body.is_empty() && serde_json::from_slice::<Value>(&body).is_err() {
        return HttpResponse::BadRequest().finish();
    }
    let answer = Arc::clone(&answer.read().unwrap_or_else(PoisonError::into_inner));
    HttpResponse::Ok().json(&*answer)
}
