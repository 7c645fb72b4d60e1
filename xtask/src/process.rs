//! Running other programs: each is printed before it starts, and none outlives this one.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::totals::Totals;

/// A command line under construction, printable as one would type it.
pub(crate) struct Tool {
    command: Command,
    shown: String,
}

impl Tool {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            shown: quote(program.as_ref()),
            command: Command::new(program),
        }
    }

    /// The cargo that started this program.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self {
            shown: "cargo".to_owned(),
            command: Command::new(cargo),
        }
    }

    /// npm, which Windows only finds by its script's name.
    pub(crate) fn npm() -> Self {
        Self::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&quote(arg.as_ref()));
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        self.shown = format!("{name}={} {}", quote(value), self.shown);
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref();
        if std::env::current_dir().is_ok_and(|here| here != dir) {
            self.shown = format!("(in {}) {}", dir.display(), self.shown);
        }
        self.command.current_dir(dir);
        self
    }

    /// Runs to the end; a failure is an error that names the command.
    pub(crate) fn run(mut self) -> Result<()> {
        self.print();
        die_with_parent(&mut self.command);
        let status = self.command.status().with_context(|| self.not_started())?;
        self.judge(status)
    }

    /// The program's standard output, trimmed.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| self.not_started())?;
        self.judge(output.status)?;
        let text = String::from_utf8(output.stdout)
            .with_context(|| format!("`{}` printed no UTF-8", self.shown))?;
        Ok(text.trim().to_owned())
    }

    /// Runs a check that knows no tests, which counts as one.
    pub(crate) fn check(self) -> Totals {
        let outcome = self.run();
        if let Err(error) = &outcome {
            eprintln!("error: {error:#}");
        }
        Totals::one(outcome.is_ok())
    }

    /// Runs a test runner: passes its output on and adds up the totals it prints. A runner that fails without naming a
    /// failed test, and one that found no test to run, counts as a failed test.
    pub(crate) fn count(mut self) -> Result<Totals> {
        self.print();
        die_with_parent(&mut self.command);
        // Totals are read from plain text, and some runners colour their output whenever CI is set.
        self.command
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .stdout(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| self.not_started())?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let totals = pass_on(BufReader::new(stdout), std::io::stdout())?;
        let status = child.wait()?;
        Ok(settle(totals, status.success()))
    }

    /// Starts the program with piped standard output and ties its life to ours.
    pub(crate) fn spawn(mut self) -> Result<Running> {
        self.print();
        die_with_parent(&mut self.command);
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.not_started())?;
        Ok(Running(child))
    }

    fn print(&self) {
        eprintln!("$ {}", self.shown);
    }

    fn not_started(&self) -> String {
        format!("`{}` could not be started", self.shown)
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("`{}` failed ({status})", self.shown);
        }
        Ok(())
    }
}

/// A program that runs beside this one until it is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// The number by which the system knows it.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it prints a line with this text on its standard output, and returns the line. To be called once.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        let stdout = self.0.stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        loop {
            let Some(line) = lines.next().transpose()? else {
                bail!("a program ended before it was ready: see its message above");
            };
            if line.contains(text) {
                // A full pipe would block the program: read on to the end.
                thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(line);
            }
        }
    }

    /// The exit status if the program has ended by itself.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the program has ended already, which is what is wanted here.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Copies a runner's output line by line and adds up the totals in it.
fn pass_on(mut from: impl BufRead, mut to: impl Write) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        totals += Totals::in_line(&String::from_utf8_lossy(&line)).unwrap_or_default();
        line.clear();
    }
    Ok(totals)
}

/// What a runner's totals are worth given how it ended.
fn settle(mut totals: Totals, success: bool) -> Totals {
    let nothing_ran = totals == Totals::default();
    if nothing_ran || (!success && totals.failed == 0) {
        totals += Totals::one(false);
    }
    totals
}

/// The file of a program on `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| file.is_file())
}

/// Lets Linux end the child when this process is killed without a chance to clean up.
#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    // SAFETY: the closure runs between fork and exec and makes a single system call; it takes no lock and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
                .map_err(std::io::Error::from)
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}

fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    let mut quoted = String::from("'");
    for c in word.chars() {
        match c {
            '\'' => quoted.push_str(r"'\''"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_as_one_would_type_them() {
        assert_eq!(quote(OsStr::new("--target=web")), "--target=web");
        assert_eq!(quote(OsStr::new("two words")), "'two words'");
        assert_eq!(quote(OsStr::new("it's")), r"'it'\''s'");
        assert_eq!(quote(OsStr::new("")), "''");
    }

    #[test]
    fn output_is_passed_on_whole_and_counted() {
        let output = "a\ntest result: ok. 2 passed; 0 failed;\n\u{e4}\n Tests  1 failed (1)";
        let mut shown = Vec::new();
        let totals = pass_on(output.as_bytes(), &mut shown).expect("memory is readable");
        assert_eq!(shown, output.as_bytes());
        assert_eq!((totals.passed, totals.failed), (2, 1));
    }

    #[test]
    fn a_runner_that_fails_always_counts_as_a_failure() {
        let some = |passed, failed| Totals { passed, failed };
        assert_eq!(settle(some(0, 0), false), some(0, 1));
        assert_eq!(settle(some(2, 0), false), some(2, 1));
        assert_eq!(settle(some(2, 3), false), some(2, 3));
        assert_eq!(settle(some(2, 0), true), some(2, 0));
    }

    #[test]
    fn a_runner_that_ran_nothing_proves_nothing() {
        assert_eq!(settle(Totals::default(), true), Totals::one(false));
    }

    #[cfg(unix)]
    #[test]
    fn a_dropped_program_has_ended() {
        let running = Tool::new("sleep").arg("600").spawn().expect("sleep runs");
        let id = running.id().to_string();
        drop(running);
        assert!(Tool::new("kill").args(["-0", &id]).read().is_err());
    }
}
