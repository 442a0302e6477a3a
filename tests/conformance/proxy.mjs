// A loopback proxy that adds the bearer token: the suite has no option for a header. It changes nothing else, so the server sees the `Host` and the
// `Origin` that the suite sends.

import { createServer, request } from 'node:http';

/** Forwards to `port`; gives its own port. `token` is asked for each request. */
export async function start(port, token) {
  const proxy = createServer((asked, answer) => {
    // Raw, so that a repeated field stays repeated. A connection for each request: one that is kept can be closed just when it is used again.
    const headers = [...withoutConnection(asked.rawHeaders), 'authorization', `Bearer ${token}`];
    const onward = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers, agent: false });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode, withoutConnection(response.rawHeaders));
      // Each event at once, not when there are enough of them.
      answer.flushHeaders();
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    // A client that leaves ends the call.
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  // Kept until the end, for the same reason.
  proxy.keepAliveTimeout = 0;
  await new Promise((ready) => { proxy.listen(0, '127.0.0.1', ready); });
  const stop = () => { proxy.closeAllConnections(); proxy.close(); };
  return { port: proxy.address().port, stop };
}

/** Names and values in turn, without the field that is about one connection only (RFC 9110 section 7.6.1). */
function withoutConnection(raw) {
  return raw.filter((_, at) => raw[at - (at % 2)].toLowerCase() !== 'connection');
}
