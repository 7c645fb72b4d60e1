/** The application on what the guide has its readers copy. */
import { setEnvironment } from '../guide/environment.ts';
import { useOnlineUsers } from '../guide/useOnlineUsers.ts';
import { settings, start } from './app.tsx';

setEnvironment({ gatewayUrl: settings.server, websocketUrl: settings.server, apiKey: settings.key });
start(useOnlineUsers);
