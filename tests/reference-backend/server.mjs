/**
 * The system as it was: the official Node `socket.io` server running the integration guide's pseudo-code, and the guide's
 * HTTP endpoint beside it. It is what our client must work against unchanged, and what our server is compared with in
 * behaviour and in speed. So it stays lean, idiomatic, and as wrong as the guide is; see README.md for the list.
 *
 * Environment: LISTEN (default 127.0.0.1:0), REDIS_URL (absent: the same calls on maps), ADMIN_KEY (default demo-admin-key).
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { openStore } from './store.mjs';

const adminKey = process.env.ADMIN_KEY ?? 'demo-admin-key';
const redis = await openStore(process.env.REDIS_URL);

const http = createServer((request, response) => {
  onlineUsersEndpoint(request, response).catch((error) => {
    console.error(error);
    answer(response, 500, { error: 'Internal Server Error' });
  });
});
const io = new Server(http, { cors: { origin: '*' } });

io.use((socket, next) => {
  const { query, auth } = socket.handshake;
  const tenantId = query.tenantId;
  if (!tenantId) return next(new Error('tenantId is required'));
  const isAdmin = (query.role ?? auth.role) === 'admin';
  if (isAdmin && (auth.token ?? auth.apiKey) !== adminKey) return next(new Error('Unauthorized'));
  socket.auth = { role: isAdmin ? 'admin' : 'user' };
  socket.tenantId = tenantId;
  socket.userId = isAdmin ? `admin-${socket.id}` : `anonymous-${auth.visitorId ?? socket.id}`;
  next();
});

io.on('connection', async (socket) => {
  // The guide's handlers, with the ones for events first: what a client sends at once must not be lost while the hash is
  // being written.
  socket.on('disconnect', async () => {
    const { userId, tenantId } = socket;
    await redis.hdel(`online_users:${tenantId}`, userId);
    io.to(`admin:${tenantId}`).emit('user_offline', { userId });
  });

  socket.on('get_online_users', async ({ tenantId }) => {
    if (socket.auth.role !== 'admin') return;
    socket.emit('online_users_list', { users: await onlineUsers(tenantId) });
  });

  socket.on('message', async (data, acknowledge) => {
    const { userId, tenantId } = socket;
    const sessionId = socket.id;
    const messageId = randomUUID();
    const payload = {
      messageId,
      sessionId,
      userId,
      tenantId: parseInt(tenantId),
      siteId: data.siteId ? parseInt(data.siteId) : null,
      domain: data.domain || '',
      text: data.text,
      senderType: 'user',
      timestamp: new Date().toISOString(),
    };
    await redis.xadd(
      'meta:webhook_jobs',
      '*',
      'job_type', 'webchat_webhook',
      'source', 'webhook',
      'webhook_type', 'message',
      'payload', JSON.stringify(payload),
      'headers', JSON.stringify({
        'content-type': 'application/json',
        'x-webhook-source': 'webchat-service',
      }),
      'timestamp', new Date().toISOString(),
    );
    io.to(`conversation:${sessionId}`).emit('meta_message_created', {
      message: {
        id: messageId,
        text: data.text,
        sender: 'user',
        timestamp: payload.timestamp,
        sessionId,
        userId,
        tenantId,
      },
    });
    acknowledge?.({ messageId, timestamp: payload.timestamp });
  });

  const { userId, tenantId } = socket;
  const { domain, origin, url } = socket.handshake.query;
  const userData = {
    sessionId: socket.id,
    connectedAt: new Date().toISOString(),
    domain,
    origin,
    url,
  };
  await redis.hset(`online_users:${tenantId}`, userId, JSON.stringify(userData));
  socket.join(`tenant:${tenantId}`);
  socket.join(`conversation:${socket.id}`);
  if (socket.auth.role === 'admin') socket.join(`admin:${tenantId}`);
  io.to(`admin:${tenantId}`).emit('user_online', { userId, ...userData });
});

async function onlineUsers(tenantId) {
  const allUsers = await redis.hgetall(`online_users:${tenantId}`);
  return Object.entries(allUsers).map(([userId, data]) => ({ userId, ...JSON.parse(data) }));
}

async function onlineUsersEndpoint(request, response) {
  if (request.method === 'OPTIONS') return answer(response, 204);
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (request.method !== 'GET' || pathname !== '/api/chat/online-users') {
    return answer(response, 404, { error: 'Not Found' });
  }
  const tenantId = request.headers['x-tenant-id'] ?? searchParams.get('tenantId');
  if (!tenantId) return answer(response, 400, { error: 'tenantId is required' });
  if (request.headers.authorization !== `Bearer ${adminKey}`) {
    return answer(response, 401, { error: 'Unauthorized' });
  }
  answer(response, 200, { users: await onlineUsers(tenantId) });
}

function answer(response, status, body) {
  response.writeHead(status, {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization, content-type, x-tenant-id',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'content-type': 'application/json',
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

const [host, port] = (process.env.LISTEN ?? '127.0.0.1:0').split(':');
http.listen(Number(port), host, () => {
  console.log(`listening on http://${host}:${http.address().port}`);
});

process.once('SIGTERM', async () => {
  await io.close();
  await redis.quit();
});
