//! `chat-server check-config`: what an operator's options and files come to, without running anything.

use std::fmt::Write as _;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory as _};

use super::cli::Cli;
use super::{Config, ConfigError, Settings, settings_text};

/// What would be used: every option with its value and where that comes from, then every setting.
/// Options whose environment variables are hidden in the help hold secrets, and are hidden here.
///
/// # Errors
/// If the settings file cannot be read, which a configuration that was judged good rules out.
pub fn report(cli: &Cli, matches: &ArgMatches, config: &Config) -> Result<String, ConfigError> {
    let mut text = String::new();
    for option in Cli::command().get_arguments() {
        if let Some(line) = line(option, matches) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# {} tenants", config.tenants.len());
    text.push_str(&Settings::merged_text(&settings_text(cli)?)?);
    Ok(text)
}

fn line(option: &Arg, matches: &ArgMatches) -> Option<String> {
    let name = option.get_long()?;
    let id = option.get_id().as_str();
    // `--help` and `--version` have no value that could be asked for.
    let values = matches.try_get_raw(id).ok()??;
    let shown = if option.is_hide_env_values_set() {
        "(hidden)".to_owned()
    } else {
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        values.join(",")
    };
    let source = matches.value_source(id)?;
    let from = if source == ValueSource::DefaultValue {
        "default".into()
    } else if source == ValueSource::EnvVariable {
        option.get_env()?.to_string_lossy()
    } else {
        "command line".into()
    };
    Some(format!("--{name} {shown} # {from}"))
}
