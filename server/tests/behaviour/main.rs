//! What the server does, seen from outside: a file for each behaviour, a server for each test.
#![expect(
    clippy::unwrap_used,
    reason = "in a test, helpers included, a panic is the way to fail"
)]

mod attempts;
mod bad_input;
mod bad_input_fuzz;
mod bad_input_http;
mod command_line;
mod conversations;
mod conversations_nodes;
mod cross_tenant;
mod identity;
mod identity_table;
mod key_set;
mod leave;
mod message;
mod message_http;
mod message_retry;
mod messages_nodes;
mod messages_on_redis;
mod online_history;
mod online_users_http;
mod operation;
mod operator;
mod presence_nodes;
mod presence_on_redis;
mod presence_versions;
mod redis_away;
mod reload;
mod reload_grace;
mod second_tab;
mod shares;
mod support;
mod tenants_apart;
mod visitor_token;
mod visits;
