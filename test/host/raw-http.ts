import { connect, type Socket } from 'node:net';

/** A connection on which a test sends its own bytes. */
export interface RawConnection {
  socket: Socket;
  /** Resolves to everything received, when the other side has closed the connection. */
  closed: Promise<string>;
  /** Resolves as soon as something is received. */
  answered: Promise<string>;
}

export function rawConnection(url: string, bytes: string | Buffer): RawConnection {
  const { hostname, port } = new URL(url);
  const [closed, answered] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let answer = '';
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
    answered.resolve(answer);
  });
  // The other side may close the connection while this side still sends; the answer has arrived anyway.
  socket.on('error', () => {});
  socket.once('close', () => {
    closed.resolve(answer);
    answered.resolve(answer);
  });
  return { socket, closed: closed.promise, answered: answered.promise };
}

/** Sends these bytes on a new connection. Resolves to everything received. */
export const raw = (url: string, bytes: string | Buffer): Promise<string> => rawConnection(url, bytes).closed;
