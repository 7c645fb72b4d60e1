//! What the page says about the network and about being looked at.

use core::task::{Context, Poll};

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::EventTarget;

/// An event of the page, as far as a connection cares.
#[derive(Clone, Copy)]
pub(super) enum PageEvent {
    /// The network is gone.
    Offline,
    /// The network is back, or somebody looks at the page again, or has just stopped to.
    Awake,
    /// The page is being left.
    Left,
    /// The page is shown, at first or again.
    Shown,
}

/// The events of the page from now on. Outside a page there are none.
pub(super) struct PageEvents {
    events: mpsc::UnboundedReceiver<PageEvent>,
    _listeners: Vec<EventListener>,
}

impl PageEvents {
    pub(super) fn watch() -> Self {
        const WATCHED: [(&str, PageEvent); 5] = [
            ("offline", PageEvent::Offline),
            ("online", PageEvent::Awake),
            ("visibilitychange", PageEvent::Awake),
            ("pagehide", PageEvent::Left),
            ("pageshow", PageEvent::Shown),
        ];
        let (sender, events) = mpsc::unbounded();
        let page = js_sys::global().dyn_into::<EventTarget>().ok();
        let listen = |page: &EventTarget| {
            WATCHED.map(|(name, event)| {
                let sender = sender.clone();
                EventListener::new(page, name, move |_| {
                    // Nobody listens any more only while this is being dropped.
                    let _ = sender.unbounded_send(event);
                })
            })
        };
        Self {
            events,
            _listeners: page.iter().flat_map(listen).collect(),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<PageEvent> {
        match self.events.poll_next_unpin(cx) {
            Poll::Ready(Some(event)) => Poll::Ready(event),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
