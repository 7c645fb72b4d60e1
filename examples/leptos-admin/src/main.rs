//! Who is on the site now: a dashboard in Leptos, rendered in the browser.
//!
//! `OnlineUsers` keeps the list true; a signal holds its latest snapshot, and everything shown is derived from that.

mod settings;

use std::sync::Arc;

use chat_client_wasm::front_end::{
    ChatError, Code, Config, OnlineUser, OnlineUsers, Options, Snapshot,
};
use leptos::prelude::*;

/// More rows than anyone reads; the count above says how many there are.
const MOST_ROWS: usize = 200;

fn main() {
    leptos::mount::mount_to_body(|| {
        let settings = settings::read();
        let config = Config::admin(&settings.server, &settings.tenant_id).api_key(settings.api_key);
        view! { <Dashboard tenant_id=settings.tenant_id config /> }
    });
}

#[component]
fn Dashboard(tenant_id: String, config: Config) -> impl IntoView {
    let online = OnlineUsers::open(config, Options::default());
    let (now, set_now) = signal(online.snapshot());
    let subscription = online.subscribe(move |snapshot| set_now.set(snapshot.clone()));
    // As long as the component: dropped with it, they end the connection.
    let held = StoredValue::new_local((online, subscription));
    let refresh = move |_| held.with_value(|(online, _)| online.refresh());

    let count = move || now.with(|now| now.users.len());
    let connected = move || now.with(|now| now.is_connected);
    let state = move || if connected() { "Real-time" } else { "Polling" };
    let error = move || now.with(|now| now.error.clone());
    let shown = move || {
        let rows = |now: &Snapshot| {
            now.users
                .iter()
                .take(MOST_ROWS)
                .cloned()
                .collect::<Vec<_>>()
        };
        now.with(rows)
    };
    let empty =
        move || now.with(|now| !now.is_loading && now.error.is_none() && now.users.is_empty());
    view! {
        <header>
            <div>
                <h1>"Online users"</h1>
                <p class="quiet">{tenant_id}</p>
            </div>
            <p role="status">{state}</p>
            <button type="button" on:click=refresh>"Refresh"</button>
        </header>
        <main>
            {move || error().map(|error| view! { <Problem error /> })}
            <p aria-live="polite"><strong>{count}</strong>" on your site now"</p>
            <table>
                <thead>
                    <tr><th scope="col">"Visitor"</th><th scope="col">"Page"</th><th scope="col">"Since"</th></tr>
                </thead>
                <tbody>
                    <For each=shown key=|user| key(user) let:user>
                        <Row user />
                    </For>
                </tbody>
            </table>
            <Show when=empty>
                <p class="quiet">"Nobody is here right now"</p>
            </Show>
        </main>
    }
}

/// A user who is shown with another session is another row.
fn key(user: &OnlineUser) -> (String, Option<String>) {
    (user.user_id.clone(), user.session_id.clone())
}

#[component]
fn Row(user: Arc<OnlineUser>) -> impl IntoView {
    // A page's address comes from the visitor's browser: it is shown as text and is no link.
    let page = user.url.clone().or_else(|| user.domain.clone());
    view! {
        <tr>
            <td>{user.user_id.clone()}</td>
            <td>{page.unwrap_or_else(|| "–".to_owned())}</td>
            <td><time datetime=user.connected_at.clone()>{user.connected_at.clone()}</time></td>
        </tr>
    }
}

#[component]
fn Problem(error: ChatError) -> impl IntoView {
    let sentence = if error.code == Code::NetworkError {
        "The chat server cannot be reached; the list may be out of date.".to_owned()
    } else {
        error.message
    };
    view! {
        <p role="alert">{sentence}" "<code>{error.code.as_str()}</code></p>
    }
}
