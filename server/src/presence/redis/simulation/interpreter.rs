//! Runs the scripts themselves, with their `redis.call` on a value.

use std::collections::HashMap;
use std::sync::Arc;

use mlua::{Function, Lua, MultiValue, Table, Value as LuaValue};
use parking_lot::Mutex;
use redis::Value;

use super::data::{Data, Reply, Text};
use crate::redis::script::Call;

/// A Lua that knows the scripts it has run.
pub(super) struct Interpreter {
    lua: Lua,
    scripts: HashMap<String, Function>,
    running: Arc<Mutex<Running>>,
}

/// What a script runs on.
#[derive(Default)]
struct Running {
    data: Data,
    now: u64,
    run_id: u64,
    published: Vec<(Text, Text)>,
}

impl Interpreter {
    pub(super) fn new() -> mlua::Result<Self> {
        let lua = Lua::new();
        let running: Arc<Mutex<Running>> = Arc::default();
        let on = Arc::clone(&running);
        let call = lua.create_function(move |lua, arguments: MultiValue| {
            let command: Vec<Text> = arguments.iter().map(text_of).collect();
            let reply = on.lock().run(&command)?;
            lua_of(lua, reply)
        })?;
        let redis = lua.create_table()?;
        redis.set("call", call)?;
        lua.globals().set("redis", redis)?;
        Ok(Self {
            lua,
            scripts: HashMap::new(),
            running,
        })
    }

    /// Runs a call on `data` at a time in milliseconds. Gives the answer, and what was published.
    pub(super) fn run(
        &mut self,
        data: &mut Data,
        run_id: u64,
        now: u64,
        call: &Call,
    ) -> mlua::Result<(Value, Vec<(Text, Text)>)> {
        let script = call.script();
        let known = self.scripts.get(script.hash()).cloned();
        let function = known.map_or_else(|| self.learn(script.text(), script.hash()), Ok)?;
        self.lua.globals().set("KEYS", self.list(call.keys())?)?;
        self.lua.globals().set("ARGV", self.list(call.args())?)?;
        *self.running.lock() = Running {
            data: std::mem::take(data),
            now,
            run_id,
            published: Vec::new(),
        };
        let answer = function.call::<LuaValue>(());
        let ran = std::mem::take(&mut *self.running.lock());
        *data = ran.data;
        Ok((redis_of(&answer?)?, ran.published))
    }

    fn learn(&mut self, text: &str, hash: &str) -> mlua::Result<Function> {
        let function = self.lua.load(text).into_function()?;
        self.scripts.insert(hash.to_owned(), function.clone());
        Ok(function)
    }

    fn list(&self, texts: &[Text]) -> mlua::Result<Table> {
        let texts = texts.iter().map(|text| self.lua.create_string(text));
        self.lua
            .create_sequence_from(texts.collect::<mlua::Result<Vec<_>>>()?)
    }
}

impl Running {
    fn run(&mut self, command: &[Text]) -> mlua::Result<Reply> {
        match command.first().map(Vec::as_slice) {
            Some(b"TIME") => {
                let micros = (self.now % 1000) * 1000;
                let texts = [self.now / 1000, micros].map(|part| part.to_string().into_bytes());
                return Ok(Reply::List(texts.map(Reply::Text).into()));
            }
            Some(b"INFO") => {
                let info = format!("# Server\r\nrun_id:{:040x}\r\n", self.run_id);
                return Ok(Reply::Text(info.into_bytes()));
            }
            Some(_) | None => {}
        }
        let reply = self.data.run(self.now, command);
        let reply = reply.map_err(mlua::Error::external)?;
        if let Reply::Published { channel, payload } = reply {
            self.published.push((channel, payload));
            return Ok(Reply::Int(0));
        }
        Ok(reply)
    }
}

/// How Redis reads what a script passes to a command.
fn text_of(value: &LuaValue) -> Text {
    if let Some(text) = value.as_string() {
        return text.as_bytes().to_vec();
    }
    let number = value.as_integer().map(|number| number.to_string());
    let number = number.or(value.as_number().map(|number| number.to_string()));
    number.unwrap_or_default().into_bytes()
}

fn lua_of(lua: &Lua, reply: Reply) -> mlua::Result<LuaValue> {
    Ok(match reply {
        Reply::Nil => LuaValue::Boolean(false),
        Reply::Int(number) => LuaValue::Number(as_float(number)),
        Reply::Text(text) => LuaValue::String(lua.create_string(text)?),
        Reply::List(list) => {
            let items = list.into_iter().map(|item| lua_of(lua, item));
            LuaValue::Table(lua.create_sequence_from(items.collect::<mlua::Result<Vec<_>>>()?)?)
        }
        Reply::Published { .. } => LuaValue::Number(0.0),
    })
}

/// How Redis answers with what a script returns.
fn redis_of(value: &LuaValue) -> mlua::Result<Value> {
    if let Some(text) = value.as_string() {
        return Ok(Value::BulkString(text.as_bytes().to_vec()));
    }
    if let Some(number) = value.as_integer() {
        return Ok(Value::Int(number));
    }
    if let Some(number) = value.as_number() {
        return Ok(Value::Int(as_int(number)));
    }
    let Some(table) = value.as_table() else {
        return Ok(Value::Nil);
    };
    let items = table.sequence_values::<LuaValue>();
    let list = items.map(|item| redis_of(&item?));
    list.collect::<mlua::Result<_>>().map(Value::Array)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Lua has no other numbers, in Redis neither"
)]
fn as_float(number: i64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Redis cuts what a script returns"
)]
fn as_int(number: f64) -> i64 {
    number as i64
}
