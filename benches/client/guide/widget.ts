/**
 * A chat widget of the kind that the guide's world has: `socket.io-client`, a bubble and a panel, as little as a visitor can
 * write and read with. It promises nothing of what ours does about reloads, outages and pages that get in its way.
 */
import { io } from 'socket.io-client';
import { styles } from './widget-styles.ts';

interface Config {
  readonly tenantId: string;
  readonly baseUrl: string;
}

interface Said {
  readonly message: { readonly text: string; readonly sender: string };
}

const VISITOR = 'plain-widget-visitor';

const { tenantId, baseUrl } = (globalThis as unknown as { ChatWidgetConfig: Config }).ChatWidgetConfig;

const visitorId = localStorage.getItem(VISITOR) ?? crypto.randomUUID();
localStorage.setItem(VISITOR, visitorId);

const socket = io(baseUrl, {
  transports: ['websocket', 'polling'],
  query: {
    tenantId,
    domain: location.hostname,
    origin: location.origin,
    url: location.href,
    referrer: document.referrer,
  },
  auth: { visitorId },
});

const host = document.createElement('div');
const shadow = host.attachShadow({ mode: 'open' });
shadow.innerHTML = `<style>${styles}</style>
<section class="panel" role="dialog" aria-label="Chat" hidden>
  <header>Chat with us</header>
  <ol class="log" role="log"></ol>
  <form><input aria-label="Your message" placeholder="Write a message…"><button>Send</button></form>
</section>
<button class="bubble" type="button" aria-label="Open chat">Chat</button>`;
const part = <T extends Element>(selector: string): T => {
  const found = shadow.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
};
const panel = part<HTMLElement>('.panel');
const log = part<HTMLElement>('.log');
const form = part<HTMLFormElement>('form');
const input = part<HTMLInputElement>('input');

const show = (text: string, own: boolean): void => {
  const row = document.createElement('li');
  row.className = own ? 'own' : '';
  row.textContent = text;
  log.append(row);
  log.scrollTop = log.scrollHeight;
};

part<HTMLButtonElement>('.bubble').addEventListener('click', () => {
  panel.hidden = !panel.hidden;
  if (!panel.hidden) input.focus();
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (text === '') return;
  socket.emit('message', { text });
  input.value = '';
});
const heard = ({ message }: Said): void => show(message.text, message.sender === 'user');
socket.on('meta_message_created', heard);
socket.on('ai_event_created', heard);
document.body.append(host);
