import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RequestAbandoned } from '../../../lib/platform/http/request-facts.ts';

/** A request that has arrived and whose answer is not over. */
export interface RequestInFlight {
  /** Aborted when the caller hangs up, also by closing only its sending side, and when the server gives up waiting at its end. */
  signal: AbortSignal;
  /** The answer may take minutes: the connection is not closed because nothing moves on it. */
  takesLong(): void;
  /** The answer is over. */
  end(): void;
}

interface Flight extends RequestInFlight {
  long: boolean;
  abandon(why: RequestAbandoned['why']): void;
}

export interface RequestsInFlight {
  add(request: IncomingMessage, response: ServerResponse): RequestInFlight;
  /** Closes all connections but those with an answer that takes long. */
  closeOthers(): void;
  /** Tells the requests that are left that they cannot be finished. */
  abandon(): void;
}

/** The connections of a server, and the requests on each. */
export function createRequestsInFlight(server: Server): RequestsInFlight {
  const connections = new Map<Socket, Set<Flight>>();
  server.on('connection', (socket: Socket) => {
    const flights = new Set<Flight>();
    connections.set(socket, flights);
    socket.once('close', () => {
      connections.delete(socket);
      for (const flight of flights) flight.abandon('client_closed');
    });
  });

  return {
    add({ socket }, response) {
      const controller = new AbortController();
      const flights = connections.get(socket);
      const flight: Flight = {
        signal: controller.signal,
        long: false,
        takesLong() {
          flight.long = true;
          // Node sets the time-out again for the next request of this connection.
          socket.setTimeout(0);
        },
        end: () => flights?.delete(flight),
        abandon(why) {
          if (!response.writableFinished) controller.abort(new RequestAbandoned(why));
        },
      };
      flights?.add(flight);
      return flight;
    },
    closeOthers() {
      for (const [socket, flights] of connections) if (![...flights].some(({ long }) => long)) socket.destroy();
    },
    abandon() {
      for (const flights of connections.values()) for (const flight of flights) flight.abandon('shutting_down');
    },
  };
}
