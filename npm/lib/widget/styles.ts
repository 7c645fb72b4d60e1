/** The widget's looks. It lives in a shadow root: the page's styles do not reach in, nor these out. */
export const styles = `
:host {
  all: initial;
  position: fixed;
  z-index: 2147483000;
  bottom: 20px;
  right: 20px;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color-scheme: light dark;
  --accent: #3b4fe0;
  --accent-strong: #2f40c4;
  --on-accent: #fff;
  --surface: #fff;
  --sunken: #f3f4f8;
  --text: #1b1d28;
  --muted: #5f6475;
  --line: #e3e5ee;
  --danger: #b3261e;
  --good: #1f9d61;
  --shadow: 0 12px 40px rgb(20 22 45 / .2), 0 2px 8px rgb(20 22 45 / .1);
}
:host(.left) { right: auto; left: 20px; }
@media (prefers-color-scheme: dark) {
  :host {
    --accent: #6d7dff;
    --accent-strong: #8391ff;
    --on-accent: #0e1030;
    --surface: #1b1d29;
    --sunken: #272a3a;
    --text: #eceef8;
    --muted: #a3a8bd;
    --line: #34384b;
    --danger: #ffb4ab;
    --good: #53d294;
    --shadow: 0 12px 40px rgb(0 0 0 / .5), 0 2px 8px rgb(0 0 0 / .3);
  }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button { font: inherit; color: inherit; border: 0; background: none; cursor: pointer; padding: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

.bubble {
  position: relative;
  display: grid;
  place-items: center;
  width: 56px;
  height: 56px;
  border-radius: 50%;
  background: var(--accent);
  color: var(--on-accent);
  box-shadow: var(--shadow);
  transition: background .15s, transform .15s;
}
.bubble:hover { background: var(--accent-strong); transform: translateY(-2px); }
.bubble:active { transform: none; }
.bubble svg { width: 26px; height: 26px; }
.bubble .close, .open .bubble .chat { display: none; }
.open .bubble .close { display: block; }
.unread {
  position: absolute;
  top: -4px;
  right: -4px;
  min-width: 22px;
  height: 22px;
  padding: 0 6px;
  border-radius: 11px;
  border: 2px solid var(--surface);
  background: var(--danger);
  color: var(--surface);
  font-size: 12px;
  font-weight: 700;
  line-height: 18px;
  text-align: center;
}

.panel {
  position: absolute;
  bottom: 72px;
  right: 0;
  display: flex;
  flex-direction: column;
  width: min(372px, calc(100vw - 40px));
  height: min(540px, calc(100vh - 116px));
  overflow: hidden;
  border: 1px solid var(--line);
  border-radius: 16px;
  background: var(--surface);
  color: var(--text);
  box-shadow: var(--shadow);
  animation: rise .18s ease-out;
}
:host(.left) .panel { right: auto; left: 0; }
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }

header { padding: 16px 18px 14px; border-bottom: 1px solid var(--line); }
h2 { margin: 0; font-size: 16px; font-weight: 650; letter-spacing: -.01em; }
.status { display: flex; align-items: center; gap: 7px; margin: 3px 0 0; font-size: 13px; color: var(--muted); }
.status::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: var(--muted); }
.status.online::before { background: var(--good); }
.status.failed::before { background: var(--danger); }

.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; margin: 0; list-style: none; display: flex; flex-direction: column; gap: 8px; }
.log:focus-visible { outline-offset: -3px; }
.entry { max-width: 84%; align-self: flex-start; }
.entry.own { align-self: flex-end; text-align: right; }
.text { display: inline-block; padding: 9px 13px; border-radius: 14px 14px 14px 4px; background: var(--sunken); text-align: left; white-space: pre-wrap; overflow-wrap: anywhere; }
.own .text { border-radius: 14px 14px 4px; background: var(--accent); color: var(--on-accent); }
.pending .text { opacity: .65; }
.note { display: block; margin-top: 3px; font-size: 12px; color: var(--muted); }
.failed .note { color: var(--danger); }
.note button { text-decoration: underline; font-weight: 600; }

form { display: flex; align-items: flex-end; gap: 8px; padding: 10px 12px 12px; border-top: 1px solid var(--line); }
textarea {
  flex: 1;
  min-height: 42px;
  max-height: 120px;
  padding: 9px 12px;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--sunken);
  color: inherit;
  font: inherit;
  resize: none;
  field-sizing: content;
}
textarea::placeholder { color: var(--muted); opacity: 1; }
textarea:focus-visible { outline-offset: -1px; outline-width: 2px; }
.send { display: grid; place-items: center; flex: none; width: 42px; height: 42px; border-radius: 12px; background: var(--accent); color: var(--on-accent); transition: background .15s; }
.send:hover { background: var(--accent-strong); }
.send:disabled { background: var(--sunken); color: var(--muted); cursor: default; }
.send svg { width: 20px; height: 20px; }

@media (prefers-reduced-motion: reduce) {
  * { animation: none !important; transition: none !important; }
}
@media print { :host { display: none; } }
`;
