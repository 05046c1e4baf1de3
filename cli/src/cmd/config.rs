//! `subrosa config check`: whether the settings can be used, and what they come to.

use clap::Subcommand;

use super::serve::Settings;
use crate::out::{Failure, Out};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check the settings without starting anything.
    Check(Settings),
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let What::Check(settings) = args.what;
    let config = settings.config()?;
    let origin = config.origin_at(config.listen.port()).map(|u| u.to_string()).unwrap_or_default();
    let database = if config.database.is_some() { "PostgreSQL" } else { "SQLite" };
    let object = serde_json::json!({
        "ok": true,
        "data_dir": config.data_dir,
        "listen": config.listen.to_string(),
        "host": config.host,
        "origin": origin,
        "database": database,
        "separate_key_database": config.database.is_none() || config.key_database.is_some(),
        "tls": config.secure(),
        "acme": config.acme.is_some(),
        "demo": config.demo,
    });
    let mut text = format!(
        "The settings can be used.\n  data    {} ({database})\n  listens {}\n  browsers use {origin}\n  passkeys are bound to {}, for good",
        config.data_dir.display(),
        config.listen,
        config.host
    );
    if config.database.is_some() && config.key_database.is_none() {
        text.push_str("\n  note: wraps and records share one PostgreSQL database; give key_database to keep them apart");
    }
    out.result(&text, &object);
    Ok(())
}
