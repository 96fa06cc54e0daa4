//! The `linli` command.

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    linli::cli::run().await
}
