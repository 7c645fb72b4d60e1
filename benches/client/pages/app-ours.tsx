/** The application on our package. */
import { configure } from '@amoiq/chat-widget';
import { useOnlineUsers } from '@amoiq/chat-widget/react';
import { settings, start } from './app.tsx';

configure({ gatewayUrl: settings.server, apiKey: settings.key });
start(useOnlineUsers);
