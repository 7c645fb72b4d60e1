//! The program: command line in, one server, signals out.
//!
//! Exit codes: 0 after a signal, or when `check-config` or `presence` has done its work; 2 for an option, a file or an
//! address that cannot be used; 1 for what is nobody's mistake, such as a Redis that does not answer `presence`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use chat_server::config::Config;
use chat_server::config::check;
use chat_server::config::cli::{self, Cli, PresenceAction, ServerRole};
use chat_server::operator;
use chat_server::process::Process;
use chat_server::shutdown::Signals;
use chat_server::telemetry;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

fn main() -> ExitCode {
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            return match cli::one_line(&error) {
                Some(what) => unusable(&what),
                None => exit_after(error.print()),
            };
        }
    };
    if cli.role == ServerRole::CheckConfig {
        return check_config(&cli, &matches);
    }
    let config = match Config::from_cli(&cli) {
        Ok(config) => config,
        Err(error) => return unusable(&error),
    };
    telemetry::init_logs(&cli.log, cli.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return exit_after(Err(error)),
    };
    match (cli.action, &cli.tenant) {
        (Some(action), Some(tenant)) => runtime.block_on(operate(&config, action, tenant)),
        (Some(_), None) | (None, _) => runtime.block_on(run(config)),
    }
}

/// Carries an operator's command out.
async fn operate(config: &Config, action: PresenceAction, tenant: &str) -> ExitCode {
    match operator::run(config, action, tenant, &mut io::stdout().lock()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_of_the_caller() => unusable(&error),
        Err(error) => {
            eprintln!("chat-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says what would be used, or all that cannot be, a line each.
fn check_config(cli: &Cli, matches: &ArgMatches) -> ExitCode {
    let reported = Config::judge(cli)
        .and_then(|config| check::report(cli, matches, &config).map_err(|error| vec![error]));
    match reported {
        Ok(text) => exit_after(io::stdout().lock().write_all(text.as_bytes())),
        Err(problems) => {
            for problem in &problems {
                eprintln!("chat-server: {problem}");
            }
            ExitCode::from(2)
        }
    }
}

async fn run(config: Config) -> ExitCode {
    let mut signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(error) => return exit_after(Err(error)),
    };
    let process = match Process::start(config).await {
        Ok(process) => process,
        Err(error) => return unusable(&error),
    };
    if let Err(error) = announce(&process) {
        return exit_after(Err(error));
    }
    signals.stop_or(|| process.reload()).await;
    tracing::info!("stopping");
    tokio::select! {
        () = process.stop() => {}
        () = signals.next() => tracing::warn!("asked twice: stopping at once"),
    }
    ExitCode::SUCCESS
}

/// Says, to whoever started the program, that it is ready.
fn announce(process: &Process) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", process.url())?;
    out.flush()
}

fn unusable(what: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("chat-server: {what}");
    ExitCode::from(2)
}

fn exit_after(outcome: io::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-server: {error}");
            ExitCode::FAILURE
        }
    }
}
