import { configure } from '@amoiq/chat-widget';
import '@amoiq/chat-widget/desk.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Desk } from './Desk';
import { readSettings } from './settings';
import './styles/page.css';
import './styles/top.css';
import './styles/visitors.css';
import './styles/conversation.css';

const { tenantId, ...endpoints } = readSettings();
configure(endpoints);

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has no #root');
}
createRoot(root).render(
  <StrictMode>
    <Desk tenantId={tenantId} />
  </StrictMode>,
);
