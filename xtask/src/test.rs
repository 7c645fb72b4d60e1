//! `cargo xtask test`: every test there is, in one run that needs nothing prepared, with one count at the end.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::process::Tool;
use crate::totals::Totals;
use crate::workspace::Workspace;
use crate::{bench, browser_core, build, check, docs, leptos_example, npm, setup};

/// Which steps to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these steps, in their usual order; without any: all
    steps: Vec<Step>,
    /// Name the steps and run none
    #[arg(long)]
    list: bool,
    /// Take the package and the server as they are
    #[arg(long)]
    no_build: bool,
}

/// The steps, in the order in which they run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting
    Fmt,
    /// Lints, natively and for the browser
    Clippy,
    /// Documentation
    Doc,
    /// Rust's unit, property and server tests
    Unit,
    /// The package and the server
    Build,
    /// The browser core in headless Chromium, beside a real server
    Browser,
    /// The package's tests, types and published form
    Npm,
    /// Types of the whole-system tests and of the client's benchmark, against the built package
    Types,
    /// Official clients against our server, our client against the official server
    Conformance,
    /// The packed package in bundlers, in Node and in a script tag
    Packaging,
    /// Pages in a browser against the real server
    E2e,
    /// Official clients through the gateway, to our servers and to the official one
    Gateway,
    /// Several servers on one Redis, while nodes, networks and Redis fail
    Cluster,
    /// The files of examples/deploy: proxies at work, options, queries
    Deploy,
    /// A short round of the server's benchmarks, for whether they still work
    Bench,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// Whether the step uses what the build step leaves.
    fn uses_build(self) -> bool {
        match self {
            Self::Fmt | Self::Clippy | Self::Doc | Self::Unit | Self::Build => false,
            Self::Browser
            | Self::Npm
            | Self::Types
            | Self::Conformance
            | Self::Packaging
            | Self::E2e
            | Self::Gateway
            | Self::Cluster
            | Self::Deploy
            | Self::Bench => true,
        }
    }

    fn run(self, workspace: &Workspace) -> Result<Totals> {
        match self {
            Self::Fmt => Ok(all(check::format(workspace))),
            Self::Clippy => {
                let mut totals = check::lints(workspace).check();
                totals += all(check::browser_lints(workspace));
                // Not part of `check`, which would wait for Leptos.
                totals += leptos_example::lints(workspace).check();
                Ok(totals)
            }
            Self::Doc => {
                let mut totals = all(check::documentation(workspace));
                totals += docs::reference(workspace)?.check();
                Ok(totals)
            }
            Self::Unit => {
                let mut totals = Totals::default();
                for tests in check::unit_tests(workspace) {
                    totals += tests.count()?;
                }
                Ok(totals)
            }
            Self::Build => build::all(workspace).map(|()| Totals::one(true)),
            Self::Browser => browser_core::test(workspace),
            Self::Npm => {
                let npm = workspace.npm();
                npm::install(&npm)?;
                let mut totals = npm::script(&npm, "test").count()?;
                totals += npm::script(&npm, "typecheck").check();
                totals += npm::script(&npm, "lint:package").check();
                Ok(totals)
            }
            Self::Types => {
                let mut totals = Totals::default();
                for directory in [workspace.tests(), workspace.client_bench()] {
                    npm::install(&directory)?;
                    totals += npm::script(&directory, "typecheck").check();
                }
                Ok(totals)
            }
            Self::Conformance => system_tests(workspace, "conformance"),
            Self::Packaging => system_tests(workspace, "packaging"),
            Self::E2e => {
                leptos_example::build(workspace)?;
                system_tests(workspace, "e2e")
            }
            Self::Gateway => system_tests(workspace, "gateway"),
            Self::Cluster => system_tests(workspace, "cluster"),
            Self::Deploy => deployment_tests(workspace),
            Self::Bench => Ok(all(bench::rehearsals(workspace)?)),
        }
    }
}

/// Each of them is run, whatever becomes of the others.
fn all(checks: impl IntoIterator<Item = Tool>) -> Totals {
    checks
        .into_iter()
        .fold(Totals::default(), |mut totals, check| {
            totals += check.check();
            totals
        })
}

/// How one step went.
struct Outcome {
    step: Step,
    totals: Totals,
    took: Duration,
}

/// Whether all tests passed.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let mut stdout = io::stdout();
    if options.list {
        for step in Step::value_variants() {
            let help = step.to_possible_value();
            let help = help.as_ref().and_then(|value| value.get_help());
            let help = help.cloned().unwrap_or_default();
            writeln!(stdout, "{:12} {help}", step.name())?;
        }
        return Ok(true);
    }
    let workspace = Workspace::find()?;
    setup::for_tests()?;
    let mut outcomes = Vec::new();
    for step in chosen(options) {
        eprintln!("\n== {} ==", step.name());
        let start = now();
        let totals = step.run(&workspace).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Totals::one(false)
        });
        outcomes.push(Outcome {
            step,
            totals,
            took: now() - start,
        });
    }
    let mut all = Totals::default();
    writeln!(stdout)?;
    for Outcome { step, totals, took } in &outcomes {
        let name = step.name();
        let Totals { passed, failed } = totals;
        let verdict = if *failed == 0 { "ok" } else { "FAILED" };
        let seconds = took.as_secs();
        writeln!(
            stdout,
            "{name:12} {passed:4} passed {failed:4} failed {seconds:5} s  {verdict}"
        )?;
        all += *totals;
    }
    writeln!(stdout, "\n{} passed, {} failed", all.passed, all.failed)?;
    Ok(all.failed == 0)
}

fn chosen(options: &Options) -> Vec<Step> {
    let wanted = |step: &Step| options.steps.is_empty() || options.steps.contains(step);
    let build_needed = options.steps.iter().any(|step| step.uses_build());
    Step::value_variants()
        .iter()
        .copied()
        .filter(|step| match step {
            Step::Build if options.no_build => false,
            Step::Build => build_needed || wanted(step),
            Step::Fmt
            | Step::Clippy
            | Step::Doc
            | Step::Unit
            | Step::Browser
            | Step::Npm
            | Step::Types
            | Step::Conformance
            | Step::Packaging
            | Step::E2e
            | Step::Gateway
            | Step::Cluster
            | Step::Deploy
            | Step::Bench => wanted(step),
        })
        .collect()
}

fn system_tests(workspace: &Workspace, suite: &str) -> Result<Totals> {
    let tests = workspace.tests();
    npm::install(&tests)?;
    npm::script(&tests, suite)
        .env("CHROMIUM", setup::chromium()?)
        .env("REDIS_SERVER", setup::redis_server()?)
        .env("CHAT_SERVER", workspace.server())
        .count()
}

fn deployment_tests(workspace: &Workspace) -> Result<Totals> {
    setup::for_deployment_tests()?;
    let tests = workspace.tests();
    npm::install(&tests)?;
    npm::script(&tests, "deploy")
        .env("REDIS_SERVER", setup::redis_server()?)
        .env("NGINX_PROGRAM", setup::nginx()?)
        .env("CADDY", setup::caddy()?)
        .env("SYSTEMD_ANALYZE", setup::systemd_analyze()?)
        .env("CHAT_SERVER", workspace.server())
        .count()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this program that reads the clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(steps: &[Step], no_build: bool) -> Vec<String> {
        let options = Options {
            steps: steps.to_vec(),
            list: false,
            no_build,
        };
        chosen(&options).into_iter().map(Step::name).collect()
    }

    #[test]
    fn without_a_choice_every_step_runs_in_order() {
        let all: Vec<String> = Step::value_variants().iter().map(|s| s.name()).collect();
        assert_eq!(names(&[], false), all);
    }

    #[test]
    fn a_step_that_uses_the_build_brings_it_along() {
        assert_eq!(names(&[Step::E2e], false), ["build", "e2e"]);
        assert_eq!(names(&[Step::E2e], true), ["e2e"]);
        assert_eq!(names(&[Step::Unit, Step::Fmt], false), ["fmt", "unit"]);
    }
}
