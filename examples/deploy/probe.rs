//! Asks a server on this machine whether it is well: `probe HOST:PORT PATH`. Exits 0 for an answer of 200, else 1.
//!
//! What must stay true: it needs nothing but the standard library, because it is compiled by itself into an image that has
//! no shell and no other program; and it ends in time, whatever the server does.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

/// For each step. The health check that runs this has a limit of its own for all of them.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(path), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: probe HOST:PORT PATH");
        return ExitCode::from(2);
    };
    match status(&address, &path) {
        Ok(status) if status.split(' ').nth(1) == Some("200") => ExitCode::SUCCESS,
        Ok(status) => unwell(&status),
        Err(error) => unwell(&error.to_string()),
    }
}

/// The first line of the answer, or as much of it as fits.
fn status(address: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let at = address.to_socket_addrs()?.next();
    let mut stream = TcpStream::connect_timeout(&at.ok_or("no such address")?, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer)?;
    let text = String::from_utf8_lossy(&answer[..read]);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn unwell(why: &str) -> ExitCode {
    eprintln!("probe: {why}");
    ExitCode::FAILURE
}
