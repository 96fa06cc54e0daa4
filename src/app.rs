//! The wiring: which capabilities there are, in the order in which they may use one another, and the server made of them.

use std::net::TcpListener;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;
use tracing_actix_web::TracingLogger;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, Required, ResponseBuilder,
    SecurityRequirement,
};
use utoipa_actix_web::{AppExt, scope};
use utoipa_swagger_ui::SwaggerUi;

use crate::platform::capability::Capability;
use crate::platform::code::Code;
use crate::platform::housekeeping;
use crate::platform::http::problem::ProblemDocument;
use crate::platform::http::{FieldError, Problem, etag, limits, problem};
use crate::platform::state::AppState;
use crate::platform::telemetry::{self, RequestSpan};
use crate::{
    cases, certificates, delivery, figures, files, funds, identity, judgement, ledger, moderation, needs, notices,
    notifications, organisations, places, points, polls, programmes, projects, rewards, surveys, teams, tenders,
    topics, volunteering,
};

/// All capabilities. Each may use only those before it; `tests/architecture.rs` holds them to that.
pub fn capabilities() -> Vec<Capability> {
    vec![
        housekeeping::capability(),
        places::capability(),
        notifications::capability(),
        identity::capability(),
        files::capability(),
        moderation::capability(),
        notices::capability(),
        ledger::capability(),
        points::capability(),
        surveys::capability(),
        polls::capability(),
        cases::capability(),
        needs::capability(),
        topics::capability(),
        organisations::capability(),
        programmes::capability(),
        projects::capability(),
        tenders::capability(),
        delivery::capability(),
        judgement::capability(),
        funds::capability(),
        teams::capability(),
        volunteering::capability(),
        certificates::capability(),
        rewards::capability(),
        figures::capability(),
    ]
}

/// Serves the API on a bound listener until it is told to stop; requests under way are finished first.
pub fn serve(state: &AppState, listener: TcpListener) -> std::io::Result<Server> {
    telemetry::start_metrics();
    let data = web::Data::new(state.clone());
    let workers = state.config.workers;
    let server = HttpServer::new(move || {
        let state = data.get_ref();
        let origins = state.config.cors_origins.clone();
        let (app, document) = App::new()
            .app_data(data.clone())
            .app_data(web::PayloadConfig::new(state.config.limits.json_bytes))
            .app_data(web::PathConfig::default().error_handler(|_, _| Problem::from(Code::NotFound).into()))
            .into_utoipa_app()
            .openapi(base_document())
            .service(scope::scope("/api/v1").configure(|config| register(&state.capabilities, config)))
            .split_for_parts();
        let document = finish_document(document);
        let json = document.to_json().unwrap_or_default();
        app.route(
            "/api/openapi.json",
            web::get().to(move || {
                let json = json.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(json) }
            }),
        )
        .route("/api/errors", web::get().to(problem::page))
        .service(web::redirect("/api/docs", "/api/docs/"))
        .service(SwaggerUi::new("/api/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/api/openapi.json")))
        .route("/health/live", web::get().to(|| async { HttpResponse::Ok().json(json!({ "status": "ok" })) }))
        .route("/health/ready", web::get().to(ready))
        .route("/metrics", web::get().to(telemetry::metrics_page))
        .default_service(web::to(|| async { Err::<HttpResponse, _>(Problem::from(Code::NotFound)) }))
        .wrap(from_fn(etag::tag))
        .wrap(from_fn(limits::guard))
        .wrap(Compress::default())
        .wrap(cors(&origins))
        .wrap(from_fn(telemetry::observe))
        .wrap(TracingLogger::<RequestSpan>::new())
    });
    Ok(server
        .workers(workers)
        .client_request_timeout(Duration::from_secs(10))
        .shutdown_timeout(15)
        .disable_signals()
        .listen(listener)?
        .run())
}

fn register(capabilities: &[Capability], config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    for routes in capabilities.iter().filter_map(|capability| capability.routes) {
        routes(config);
    }
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_NONE_MATCH, header::IF_MATCH])
        .allowed_header("idempotency-key")
        .expose_headers(["etag", "x-request-id", "retry-after", "idempotency-replayed"])
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// 200 while the database answers; a cache that is down only keeps people from signing in, and is said.
async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let database = state.db.ping().await.is_ok();
    let cache = state.cache.ping().await.is_ok();
    metrics::gauge!("linli_up", "part" => "database").set(if database { 1.0 } else { 0.0 });
    metrics::gauge!("linli_up", "part" => "cache").set(if cache { 1.0 } else { 0.0 });
    let word = |up| if up { "ok" } else { "down" };
    let status = if !database {
        "down"
    } else if cache {
        "ok"
    } else {
        "degraded"
    };
    let body = json!({ "status": status, "database": word(database), "cache": { "kind": state.cache.name(), "state": word(cache) } });
    if database { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

/// The OpenAPI document that the server serves.
pub fn openapi() -> OpenApi {
    let capabilities = capabilities();
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(base_document())
        .service(scope::scope("/api/v1").configure(|config| register(&capabilities, config)))
        .split_for_parts();
    finish_document(document)
}

fn base_document() -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let mut components = Components::new();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let (name, schema) =
        (<ProblemDocument as utoipa::ToSchema>::name(), <ProblemDocument as utoipa::PartialSchema>::schema());
    components.schemas.insert(name.into_owned(), schema);
    let (name, schema) = (<FieldError as utoipa::ToSchema>::name(), <FieldError as utoipa::PartialSchema>::schema());
    components.schemas.insert(name.into_owned(), schema);
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("邻里 Linli")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("api.md")))
                .build(),
        )
        .components(Some(components))
        .security(Some([SecurityRequirement::new("bearer", [""; 0])]))
        .build()
}

/// What holds for every operation: it may refuse, its path names what it is about, and a POST takes an `Idempotency-Key`.
fn finish_document(mut document: OpenApi) -> OpenApi {
    use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    let problem = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new()
            .description("A refusal, see /api/errors")
            .content("application/problem+json", content)
            .build()
    };
    let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    for (path, item) in &mut document.paths.paths {
        for operation in [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), problem().into());
            let named = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
            let parameters = operation.parameters.get_or_insert_default();
            parameters.extend(named.map(|name| {
                let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
                parameter.required(Required::True).schema(Some(text().build())).build().into()
            }));
        }
        if let Some(operation) = item.post.as_mut().filter(|_| !path.contains("/auth/")) {
            let key = ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .description(Some("The same key with the same request has one effect and gets the same answer"))
                .schema(Some(text().max_length(Some(128)).build()))
                .build();
            operation.parameters.get_or_insert_default().push(key.into());
        }
    }
    document
}
