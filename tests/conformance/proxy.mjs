// A loopback proxy that adds the bearer token: the suite has no option for a header. It changes nothing else, so the server sees the `Host` and the
// `Origin` that the suite sends.

import { createServer, request } from 'node:http';

/** Forwards to `port`; gives its own port. `token` is asked for each request. */
export async function start(port, token) {
  const proxy = createServer((asked, answer) => {
    // Raw, so that a repeated field stays repeated. Without a default of Node's own beside them.
    const headers = [...asked.rawHeaders, 'authorization', `Bearer ${token}`];
    const onward = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode, response.rawHeaders);
      // Each event at once, not when there are enough of them.
      answer.flushHeaders();
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    // A client that leaves ends the call.
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  await new Promise((ready) => { proxy.listen(0, '127.0.0.1', ready); });
  const stop = () => { proxy.closeAllConnections(); proxy.close(); };
  return { port: proxy.address().port, stop };
}
