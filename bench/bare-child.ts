import { createServer } from 'node:http';

/** The least that a Node server can do for an idle poll: the yardstick beside the host, in a process of its own. Ends with its parent. */
const server = createServer((_request, response) => {
  response.statusCode = 304;
  response.end();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.stdin.once('end', () => process.exit(0)).resume();
