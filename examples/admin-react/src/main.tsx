import { configure } from '@amoiq/chat-widget';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Dashboard } from './Dashboard';
import { readSettings } from './settings';
import './styles.css';

const { tenantId, ...endpoints } = readSettings();
configure(endpoints);

const root = document.getElementById('root');
if (!root) {
  throw new Error('index.html has no #root');
}
createRoot(root).render(
  <StrictMode>
    <Dashboard tenantId={tenantId} />
  </StrictMode>,
);
