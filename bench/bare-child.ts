import { createServer } from 'node:http';

/** A bare Node server, as the measure for the host: the least that a server can do for an idle poll. Ends with its parent process. */
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
